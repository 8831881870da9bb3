/* SPDX-License-Identifier: MIT */
/*
 * Aligned requests.  Nothing is allocated beyond what the alignment needs: a size class whose
 * objects lie right, else pages, whose blocks lie at multiples of their size.
 *
 * memalign and valloc follow glibc: any alignment is rounded up to a power of two.  aligned_alloc
 * refuses what is no power of two (C17 DR 460, glibc 2.38); the size need not be a multiple.
 */
#include "malloc/malloc.h"

#include <malloc.h>
#include <stdlib.h>

#include "lib/bits.h"
#include "os/backtrace.h"

/* Of any size and any alignment, whatever else there is to do. */
static __slow void *memalign_slow(size_t align, size_t size)
{
	void *ptr;

	if (align > MAX_REQUEST / 2 + 1) {
		errno = EINVAL;
		return NULL;
	}
	align = (size_t)1 << order_of(align);
	if (size > MAX_REQUEST - align)
		return out_of_memory();
	ptr = kfence_due(size, align) ? heap_alloc_guarded(size, align, CALLER_PC, NULL) : NULL;
	if (ptr)
		return ptr;
	ptr = heap_alloc_aligned(size ? size : 1, align);
	return ptr ? ptr : out_of_memory();
}

/* An object at hand, or NULL: as malloc does it, for an @align that is a power of two. */
static inline void *memalign_pop(size_t align, size_t size)
{
	return class_pop(this_thread(), size_class_aligned(size, align));
}

void *do_memalign(size_t align, size_t size)
{
	void *ptr = NULL;

	if (align <= 16)
		return do_malloc(size);
	if (likely(is_power_of_2(align)))
		ptr = memalign_pop(align, size);
	return likely(ptr) ? ptr : memalign_slow(align, size);
}

static __slow int posix_memalign_slow(void **ptr, size_t align, size_t size)
{
	int saved = errno;
	void *new = do_memalign(align, size);

	errno = saved;
	if (!new)
		return ENOMEM;
	*ptr = new;
	return 0;
}

int do_posix_memalign(void **ptr, size_t align, size_t size)
{
	void *new;

	if (!is_power_of_2(align) || align % sizeof(void *))
		return EINVAL;
	new = memalign_pop(align, size);
	if (unlikely(!new))
		return posix_memalign_slow(ptr, align, size);
	*ptr = new;
	return 0;
}

__export void *memalign(size_t align, size_t size)
{
	return do_memalign(align, size);
}

__export void *aligned_alloc(size_t align, size_t size)
{
	if (!is_power_of_2(align)) {
		errno = EINVAL;
		return NULL;
	}
	return do_memalign(align, size);
}

__export int posix_memalign(void **ptr, size_t align, size_t size)
{
	return do_posix_memalign(ptr, align, size);
}

__export void *valloc(size_t size)
{
	return do_memalign(PAGE_SIZE, size);
}

__export void *pvalloc(size_t size)
{
	if (size > MAX_REQUEST - PAGE_SIZE)
		return out_of_memory();
	return do_memalign(PAGE_SIZE, align_up(size ? size : 1, PAGE_SIZE));
}

size_t do_usable_size(void *ptr)
{
	const struct kmem_cache *s = heap_class_of(ptr);
	struct heap_object object;

	if (likely(s))
		return s->size;
	if (!ptr || !heap_is_sound("malloc_usable_size", ptr, &object))
		return 0;
	return object.size;
}

__export size_t malloc_usable_size(void *ptr)
{
	return do_usable_size(ptr);
}
