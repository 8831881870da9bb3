/* SPDX-License-Identifier: MIT */
/*
 * What hardened mode is made of, from the options, and its secrets.
 *
 * struct harden fills a page of its own, which is read-only once this has run: an attacker who can
 * write to any address cannot switch a check off.
 *
 * Secrets come from getrandom(), which the C library's own malloc calls at its start too, else from
 * the sixteen random bytes that the kernel gives each program.  Nothing is asked of the system
 * later on.
 *
 * Locks: none; there is one thread.
 */
#include "harden/object.h"
#include "harden/thread.h"
#include "mm/vmap.h"
#include "os/options.h"

#define READY_BYTES	(32u << 10)	/* of a class and a thread */
#define MAX_READY	128u
#define MAX_DELAYED	512u		/* of ring and random places each */

struct harden harden;

static unsigned clamp(size_t n, size_t most)
{
	return (unsigned)max(min(n, most), (size_t)1);
}

static void setup_class(struct harden_class *c, const struct kmem_cache *s)
{
	size_t delayed = options.hardened_quarantine / 2 / s->size;

	c->divides = UINT64_MAX / s->size + 1;
	c->size = s->size;
	c->slab_mask = (uint32_t)(PAGE_SIZE << s->order) - 1;
	c->slab_used = s->objects * s->size;
	c->max_ready = (uint16_t)max(clamp(READY_BYTES / s->size, MAX_READY), 2u);
	if (options.hardened_quarantine) {
		c->ring = (uint16_t)clamp(delayed, MAX_DELAYED);
		c->random = (uint16_t)(1u << ilog2(clamp(delayed, MAX_DELAYED)));
	}
}

static void setup_classes(void)
{
	uint32_t slots = 0;
	unsigned class;

	for (class = 1; class <= NR_KMALLOC_CLASSES && kmalloc_caches[class].size; class++) {
		struct harden_class *c = &harden.class[class];

		setup_class(c, &kmalloc_caches[class]);
		kmalloc_caches[class].zeroed = true;
		if (harden.shuffle)
			kmalloc_caches[class].scatter = (harden.seed + class) * harden.secret[1];
		c->slots = slots;
		slots += c->max_ready + c->ring + (uint32_t)c->random;
		harden.max_request = c->size - HARDEN_MARK;
	}
	harden.thread_bytes = (uint32_t)align_up(sizeof(struct harden_thread) +
						 slots * sizeof(void *), PAGE_SIZE);
}

void harden_init(void)
{
	uint64_t random[3];

	if (!options.hardened)
		return;
	os_random(random, sizeof(random));
	harden.secret[0] = random[0];
	harden.secret[1] = random[1] | 1;
	harden.seed = random[2];
	harden.zero = options.hardened_zero;
	harden.check = options.hardened_zero && options.hardened_check;
	harden.exact = options.hardened_canary;
	harden.shuffle = options.hardened_random;
	harden.guard = vmap_guarded = options.hardened_guard;
	harden.tail = HARDEN_MARK;
	setup_classes();
	harden.on = true;
	os_seal(&harden, sizeof(harden));
}
