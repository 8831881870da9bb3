/* SPDX-License-Identifier: MIT */
/*
 * Macros over the functions of <linux/slab.h>: overloads by number and type of arguments, typed
 * helpers, and the names of earlier eras.
 */
#ifndef LIBKMALLOC_LINUX_SLAB_MACROS_H
#define LIBKMALLOC_LINUX_SLAB_MACROS_H

/* The seventh argument; as many as there are, so that "..." is never empty. */
#define KM_PICK7(a, b, c, d, e, f, g, ...)	g
#define KM_PICK5(a, b, c, d, e, ...)		e
#define KM_PICK4(a, b, c, d, ...)		d
#define KM_PICK3(a, b, c, ...)			c

#ifdef __cplusplus

inline kmem_cache *kmem_cache_create(const char *name, unsigned int size, kmem_cache_args *args,
				     slab_flags_t flags)
{
	return __kmem_cache_create_args(name, size, args, flags);
}

inline kmem_cache *kmem_cache_create(const char *name, size_t size, size_t offset,
				     unsigned long flags, kmalloc_ctor3_t ctor,
				     kmalloc_ctor3_t dtor)
{
	return kmem_cache_create_24(name, size, offset, flags, ctor, dtor);
}

inline void *kvrealloc(const void *p, size_t old_size, size_t size, gfp_t flags)
{
	return kvrealloc_sized(p, old_size, size, flags);
}

#define KM_CACHE_PLAIN(name, size, align, flags) \
	kmem_cache_create(name, size, align, flags, (void (*)(void *))NULL)

#else

/* NULL as arguments means the defaults. */
#define KM_CACHE_CREATE4(name, size, args, flags) \
	__kmem_cache_create_args(name, size, _Generic((args), \
		struct kmem_cache_args *: (args), void *: NULL), flags)
#define KM_CACHE_CREATE5(name, size, align, flags, ctor) \
	(kmem_cache_create)(name, (unsigned int)(size), (unsigned int)(align), flags, ctor)
#define KM_CACHE_CREATE6(name, size, offset, flags, ctor, dtor) \
	kmem_cache_create_24(name, size, offset, flags, ctor, dtor)
#define kmem_cache_create(...) \
	KM_PICK7(__VA_ARGS__, KM_CACHE_CREATE6, KM_CACHE_CREATE5, KM_CACHE_CREATE4, \
		 KM_ARGUMENTS, KM_ARGUMENTS, 0)(__VA_ARGS__)

#define KM_VREALLOC3(p, size, flags)	(kvrealloc)(p, size, flags)
#define KM_VREALLOC4(p, old, size, flags) kvrealloc_sized(p, old, size, flags)
#define kvrealloc(...) \
	KM_PICK5(__VA_ARGS__, KM_VREALLOC4, KM_VREALLOC3, KM_ARGUMENTS, 0)(__VA_ARGS__)

#define KM_CACHE_PLAIN(name, size, align, flags) \
	(kmem_cache_create)(name, size, align, flags, NULL)

#endif

#define KMEM_CACHE(type, flags) \
	KM_CACHE_PLAIN(#type, (unsigned int)sizeof(struct type), \
		       (unsigned int)__alignof__(struct type), flags)
#define KMEM_CACHE_USERCOPY(type, flags, field) \
	kmem_cache_create_usercopy(#type, (unsigned int)sizeof(struct type), \
		(unsigned int)__alignof__(struct type), flags, \
		(unsigned int)offsetof(struct type, field), \
		(unsigned int)sizeof(((struct type *)0)->field), NULL)

/*
 * Typed helpers: kmalloc_obj(T), kmalloc_obj(T, gfp); T is a type or an expression of it.
 */
#define KM_OBJ(alloc, T, gfp)	((__typeof__(T) *)alloc(sizeof(__typeof__(T)), gfp))
#define KM_OBJS(alloc, T, n, gfp) \
	((__typeof__(T) *)alloc(size_mul((size_t)(n), sizeof(__typeof__(T))), gfp))
#define KM_FLEX(alloc, T, fam, n, gfp) \
	((__typeof__(T) *)alloc(size_add(sizeof(__typeof__(T)), size_mul((size_t)(n), \
		sizeof(((__typeof__(T) *)0)->fam[0]))), gfp))

#define KM_WITH_GFP2(fn, alloc, ...) \
	KM_PICK3(__VA_ARGS__, fn##_GFP, fn##_DEF, 0)(alloc, __VA_ARGS__)
#define KM_WITH_GFP3(fn, alloc, ...) \
	KM_PICK4(__VA_ARGS__, fn##_GFP, fn##_DEF, KM_ARGUMENTS, 0)(alloc, __VA_ARGS__)
#define KM_WITH_GFP4(fn, alloc, ...) \
	KM_PICK5(__VA_ARGS__, fn##_GFP, fn##_DEF, KM_ARGUMENTS, KM_ARGUMENTS, 0)(alloc, __VA_ARGS__)

#define KM_OBJ_GFP(alloc, T, gfp)		KM_OBJ(alloc, T, gfp)
#define KM_OBJ_DEF(alloc, T)			KM_OBJ(alloc, T, GFP_KERNEL)
#define KM_OBJS_GFP(alloc, T, n, gfp)		KM_OBJS(alloc, T, n, gfp)
#define KM_OBJS_DEF(alloc, T, n)		KM_OBJS(alloc, T, n, GFP_KERNEL)
#define KM_FLEX_GFP(alloc, T, fam, n, gfp)	KM_FLEX(alloc, T, fam, n, gfp)
#define KM_FLEX_DEF(alloc, T, fam, n)		KM_FLEX(alloc, T, fam, n, GFP_KERNEL)

#define kmalloc_obj(...)	KM_WITH_GFP2(KM_OBJ, kmalloc, __VA_ARGS__)
#define kzalloc_obj(...)	KM_WITH_GFP2(KM_OBJ, kzalloc, __VA_ARGS__)
#define kvmalloc_obj(...)	KM_WITH_GFP2(KM_OBJ, kvmalloc, __VA_ARGS__)
#define kvzalloc_obj(...)	KM_WITH_GFP2(KM_OBJ, kvzalloc, __VA_ARGS__)
#define kmalloc_objs(...)	KM_WITH_GFP3(KM_OBJS, kmalloc, __VA_ARGS__)
#define kzalloc_objs(...)	KM_WITH_GFP3(KM_OBJS, kzalloc, __VA_ARGS__)
#define kvmalloc_objs(...)	KM_WITH_GFP3(KM_OBJS, kvmalloc, __VA_ARGS__)
#define kvzalloc_objs(...)	KM_WITH_GFP3(KM_OBJS, kvzalloc, __VA_ARGS__)
#define kmalloc_flex(...)	KM_WITH_GFP4(KM_FLEX, kmalloc, __VA_ARGS__)
#define kzalloc_flex(...)	KM_WITH_GFP4(KM_FLEX, kzalloc, __VA_ARGS__)
#define kvmalloc_flex(...)	KM_WITH_GFP4(KM_FLEX, kvmalloc, __VA_ARGS__)
#define kvzalloc_flex(...)	KM_WITH_GFP4(KM_FLEX, kvzalloc, __VA_ARGS__)

/* The old name. */
#define kzfree(p)	kfree_sensitive(p)

/*
 * Eras.
 */
#if KMALLOC_API <= 26
#define kmem_cache_destroy(s)	kmem_cache_destroy_24(s)
#endif

#if KMALLOC_API <= 24
#define __kmem_cache_free(s, p)	kmem_cache_free(s, p)
#define cache_sizes	(kmalloc_cache_sizes())
#define cache_cache	(*kmalloc_cache_cache())
#endif

#if KMALLOC_API <= 22
/* Its flags came with 2.4. */
#define kmem_find_general_cachep(...) \
	KM_PICK3(__VA_ARGS__, KM_GENERAL2, KM_GENERAL1, 0)(__VA_ARGS__)
#define KM_GENERAL1(size)		(kmem_find_general_cachep)(size, GFP_KERNEL)
#define KM_GENERAL2(size, gfp)		(kmem_find_general_cachep)(size, gfp)
#endif

#if KMALLOC_API == 24 || KMALLOC_API == 22
#define kmalloc(size, flags)	kmalloc_limited(size, flags, 131072)
#endif

#if KMALLOC_API <= 20
#define kmalloc(size, flags)	kmalloc_limited(size, flags, 131056)
#define kfree(p)		kfree_s((p), 0)
#endif

#endif
