/* SPDX-License-Identifier: MIT */
/*
 * Mappings of their own, with a guard page behind each.  See vmalloc(3).
 */
#ifndef LIBKMALLOC_LINUX_VMALLOC_H
#define LIBKMALLOC_LINUX_VMALLOC_H

#include <linux/compiler.h>
#include <linux/gfp_types.h>
#include <linux/types.h>

struct page;

KM_BEGIN_DECLS

#define VM_ALLOC	0x00000002ul
#define VM_MAP		0x00000004ul
#define VM_NO_GUARD	0x00000040ul

/* How vmap makes pages accessible: there is one way here. */
typedef unsigned long pgprot_t;
#ifndef PAGE_KERNEL
#define PAGE_KERNEL	((pgprot_t)0)
#endif

/* What find_vm_area tells. */
struct vm_struct {
	void *addr;
	unsigned long size;		/* with the guard page */
	unsigned long flags;
	unsigned int nr_pages;
};

void *vmalloc(unsigned long size) __km_size(1);
void *vzalloc(unsigned long size) __km_size(1);
void *__vmalloc(unsigned long size, gfp_t gfp) __km_size(1);
void *vmalloc_node(unsigned long size, int node) __km_size(1);
void *vzalloc_node(unsigned long size, int node) __km_size(1);
void *__vmalloc_node(unsigned long size, unsigned long align, gfp_t gfp, int node,
		     const void *caller) __km_size(1);
void *vmalloc_user(unsigned long size) __km_size(1);
void *vmalloc_32(unsigned long size) __km_size(1);
void *vmalloc_32_user(unsigned long size) __km_size(1);
void *vmalloc_huge(unsigned long size, gfp_t gfp) __km_size(1);
void *vmalloc_array(size_t n, size_t size) __km_size2(1, 2);
void *vcalloc(size_t n, size_t size) __km_size2(1, 2);
void *__vmalloc_array(size_t n, size_t size, gfp_t gfp) __km_size2(1, 2);
void *__vcalloc(size_t n, size_t size, gfp_t gfp) __km_size2(1, 2);
/* Size 0 frees and returns NULL, unlike krealloc. */
void *vrealloc(const void *p, size_t size, gfp_t gfp) __km_check;
void vfree(const void *addr);
void vfree_atomic(const void *addr);
bool is_vmalloc_addr(const void *addr);
unsigned long vmalloc_nr_pages(void);
bool vmalloc_dump_obj(void *object);

/* Pages that stand in a row, as those of one alloc_pages: where they are.  NULL for others. */
void *kmalloc_vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot);
void vunmap(const void *addr);
/* NULL for areas, which have no struct page. */
struct page *vmalloc_to_page(const void *addr);
/* A description in static storage, used in turn by 64 calls. */
struct vm_struct *find_vm_area(const void *addr);

KM_END_DECLS

#define vmap(pages, count, flags, prot)	kmalloc_vmap(pages, count, flags, prot)

#endif
