/* SPDX-License-Identifier: MIT */
/*
 * Is everything around an object as it was left?  What is not is reported and put back.
 *
 * Locks: the caller holds debug_lock.
 */
#include "slab/debug_impl.h"

static bool in_object(struct page *slab, const void *object)
{
	const struct kmem_cache *s = slab->cache;
	uintptr_t base = slab_base(slab) + s->left, at = (uintptr_t)object;

	return !object || (at >= base && (at - base) % s->size == 0 &&
			   (at - base) / s->size < s->objects);
}

/* Narrows start … end to what begins and ends with another value; false if nothing does. */
static bool find_others(unsigned char **start, unsigned char **end, unsigned char value)
{
	while (*start < *end && **start == value)
		++*start;
	while (*start < *end && (*end)[-1] == value)
		--*end;
	return *start < *end;
}

static bool check_bytes(struct page *slab, void *object, const char *what, unsigned char *start,
			unsigned char value, size_t size)
{
	unsigned char *end = start + size;

	if (!find_others(&start, &end, value))
		return true;
	debug_overwritten(slab, object, what, start, end - 1, value);
	__builtin_memset(start, value, (size_t)(end - start));
	return false;
}

/* What is left over behind the last object. */
bool debug_check_tail(struct page *slab)
{
	struct kmem_cache *s = slab->cache;
	unsigned char *start = (unsigned char *)slab_object(slab, s->objects);
	unsigned char *end = (unsigned char *)page_to_addr(slab) + (PAGE_SIZE << s->order);

	if (!(s->flags & SLAB_POISON) || !find_others(&start, &end, POISON_INUSE))
		return true;
	debug_tail_overwritten(slab, start, end - 1);
	__builtin_memset(start, POISON_INUSE, (size_t)(end - start));
	return false;
}

static bool check_red_zones(struct page *slab, unsigned char *object, unsigned char red)
{
	struct kmem_cache *s = slab->cache;
	size_t request = keeps_request(s) ? *request_of(s, object) : s->object_size;
	bool sound;

	sound = check_bytes(slab, object, "Left Redzone", object - s->left, red, s->left);
	sound &= check_bytes(slab, object, "Right Redzone", object + s->object_size, red,
			     inuse_end(s) - s->object_size);
	if (red == SLUB_RED_ACTIVE && request < s->object_size)
		sound &= check_bytes(slab, object, "kmalloc Redzone", object + request, red,
				     s->object_size - request);
	return sound;
}

static bool check_poison(struct page *slab, unsigned char *object, unsigned char red)
{
	struct kmem_cache *s = slab->cache;
	size_t used = info_end(s);
	bool sound = true;

	if (!(s->flags & SLAB_RED_ZONE))
		sound &= check_bytes(slab, object, "Alignment padding", object + s->object_size,
				     POISON_INUSE, inuse_end(s) - s->object_size);
	if (red != SLUB_RED_ACTIVE && poisons_objects(s)) {
		sound &= check_bytes(slab, object, "Poison", object, POISON_FREE,
				     s->object_size - 1);
		sound &= check_bytes(slab, object, "End Poison", object + s->object_size - 1,
				     POISON_END, 1);
	}
	return check_bytes(slab, object, "Object padding", object + used, POISON_INUSE,
			   s->size - s->left - used) && sound;
}

bool debug_check_object(struct page *slab, void *object, unsigned char red)
{
	struct kmem_cache *s = slab->cache;
	bool sound = true;

	if (s->flags & SLAB_RED_ZONE)
		sound &= check_red_zones(slab, object, red);
	if (s->flags & SLAB_POISON)
		sound &= check_poison(slab, object, red);
	if (in_object(slab, debug_get_next(s, object)))
		return sound;
	debug_object_error(slab, object, "Freepointer corrupt");
	debug_set_next(s, object, NULL);
	return false;
}

/* How many free objects the chain reaches; a link that leads nowhere is cut. */
static size_t chain_length(struct page *slab)
{
	struct kmem_cache *s = slab->cache;
	void *object = debug_first_free(slab), *next;
	size_t length = 0;

	while (object && length < s->objects) {
		length++;
		next = debug_get_next(s, object);
		if (!in_object(slab, next)) {
			debug_object_error(slab, object, "Freechain corrupt");
			debug_set_next(s, object, NULL);
			break;
		}
		object = next;
	}
	return length;
}

bool debug_check_chain(struct page *slab)
{
	size_t counted = slab->cache->objects - chain_length(slab);

	if (debug_inuse(slab) == counted)
		return true;
	debug_slab_error(slab, "Wrong object count. Counter is %zu but counted were %zu",
			 debug_inuse(slab), counted);
	set_debug_inuse(slab, counted);
	debug_fix(slab->cache, "Object count adjusted");
	return false;
}
