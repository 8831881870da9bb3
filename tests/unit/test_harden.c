/* SPDX-License-Identifier: MIT */
/*
 * Hardened mode: marks, the state of objects, reports, the arrays of threads.
 */
#include "unit.h"

#include "harden/thread.h"
#include "kmalloc/hardened.h"
#include "kmalloc/heap.h"
#include "lib/bug.h"

static void setup(void)
{
	setenv("KMALLOC_OPTIONS", "hardened:1", 1);
	heap_init();
	corruption_is_fatal = false;
}

TestSuite(harden, .init = setup, .timeout = 120);

static unsigned class_of(const void *ptr)
{
	return slab_map_value(ptr);
}

Test(harden, says_what_a_mark_says)
{
	for (size_t slack = HARDEN_MARK; slack < MAX_CLASS_SIZE; slack += 1 + slack / 16) {
		void *object = (void *)(uintptr_t)(random_below(1u << 30) * 16);
		uint64_t mark = mark_make(object, slack);

		cr_assert(mark_slack(mark) == slack && mark_is_good(object, mark));
		cr_assert((mark & 0xff) == 0);
	}
}

Test(harden, knows_a_changed_mark)
{
	for (unsigned i = 0; i < 200; i++) {
		void *object = (void *)(uintptr_t)(random_below(1u << 30) * 16);
		uint64_t mark = mark_make(object, HARDEN_MARK + random_below(MAX_CLASS_SIZE / 2));

		for (unsigned bit = 0; bit < 64; bit++)
			cr_assert(!mark_is_good(object, mark ^ UINT64_C(1) << bit), "bit %u", bit);
		cr_assert(!mark_is_good((char *)object + 16, mark));
		cr_assert(!mark_is_good(object, 0));
	}
}

Test(harden, fills_and_empties_every_size)
{
	for (size_t size = 1; size <= harden.max_request; size += 1 + size / 50) {
		unsigned char *p = hardened_alloc(size);

		cr_assert(p && all_zero(p, size), "%zu bytes", size);
		cr_assert(object_request(class_of(p), p) == size);
		memset(p, 0xff, size);
		cr_assert(object_request(class_of(p), p) == size);
		hardened_free(p);
		cr_assert(all_zero(p, kmalloc_caches[class_of(p)].size));
	}
}

Test(harden, finds_a_write_to_each_byte_behind)
{
	for (size_t size = 1; size < 200; size += 7) {
		char *p = hardened_alloc(size);
		size_t end = kmalloc_caches[class_of(p)].size;

		for (size_t at = size; at < end; at++) {
			p[at] ^= 1;
			cr_assert(object_request(class_of(p), p) == SIZE_MAX, "%zu of %zu", at,
				  size);
			p[at] ^= 1;
		}
		cr_assert(object_request(class_of(p), p) == size);
	}
}

Test(harden, finds_a_write_to_each_byte_of_a_free_object)
{
	struct captured said;
	char expected[64];

	for (size_t at = 0; at < 112; at += 3) {
		char *p = hardened_alloc(100);
		unsigned i;

		hardened_free(p);
		p[at] = 1;
		capture_begin(&said);
		for (i = 0; i < 10000; i++)
			hardened_free(hardened_alloc(100));
		snprintf(expected, sizeof(expected), "to %p, %zu bytes into it", (void *)p, at);
		cr_assert(strstr(capture_end(&said), expected) != NULL, "%s", said.text);
	}
}

Test(harden, resizes_in_place_within_half)
{
	struct heap_object object;
	char *p = hardened_alloc(200);

	memset(p, 1, 200);
	cr_assert(heap_realloc(p, 150) == p);
	heap_find(p, &object);
	cr_assert(object.size == 150 && all_zero(p + 150, 50));
	cr_assert(heap_realloc(p, 216) == p);
	heap_find(p, &object);
	cr_assert(object.size == 216);
	cr_assert(heap_realloc(p, 20) != p);
	cr_assert(object_request(class_of(p), p) == SIZE_MAX);
	for (size_t size = 2; size < 3000; size += 61) {
		p = hardened_alloc(size);
		cr_assert(heap_realloc(p, size) == p, "%zu", size);
		cr_assert(size % 16 == 9 || heap_realloc(p, size - 1) == p, "%zu", size);
	}
}

Test(harden, aligned_objects_have_marks)
{
	for (size_t align = 16; align <= 4096; align *= 2) {
		char *p = heap_alloc_aligned(align, align);

		cr_assert((uintptr_t)p % align == 0);
		cr_assert(object_request(class_of(p), p) == align);
		hardened_free(p);
	}
}

Test(harden, second_free_is_reported_wherever_the_object_is)
{
	struct captured said;
	void *p = hardened_alloc(50);

	for (unsigned state = 0; state < 2; state++) {
		if (!state)
			hardened_free(p);
		else
			heap_trim();
		capture_begin(&said);
		hardened_free(p);
		cr_assert(strstr(capture_end(&said), "double free of") != NULL, "%s", said.text);
	}
}

Test(harden, order_is_not_that_of_addresses)
{
	char *last = hardened_alloc(64);
	unsigned i, rising = 0;

	for (i = 0; i < 1000; i++) {
		char *p = hardened_alloc(64);

		rising += p > last;
		last = p;
	}
	cr_assert(rising > 300 && rising < 700, "%u of 1000", rising);
}

static bool all_free(unsigned class)
{
	struct kmem_cache *s = &kmalloc_caches[class];

	return s->nr_free == (size_t)s->nr_slabs * s->objects;
}

static void churn(void)
{
	void *p[500];
	unsigned i, round;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < 500; i++)
			p[i] = hardened_alloc(1 + (i * 37) % 3000);
		for (i = 0; i < 500; i++)
			hardened_free(p[i]);
	}
}

Test(harden, trim_empties_the_quarantine)
{
	unsigned class;

	churn();
	cr_assert(thread_tls.thread->hard->class[size_class(1000)].nr_delayed > 0);
	heap_trim();
	for (class = 1; class <= NR_KMALLOC_CLASSES; class++) {
		cr_assert(harden_count(thread_tls.thread->hard, class) == 0);
		cr_assert(all_free(class), "class %u", class);
		cr_assert(slab_check(&kmalloc_caches[class]) == 0);
	}
}

static void *churn_and_wait(void *arg)
{
	pthread_barrier_t *met = arg;

	churn();
	pthread_barrier_wait(met);
	pthread_barrier_wait(met);
	return NULL;
}

Test(harden, child_of_a_fork_takes_over_what_threads_held)
{
	pthread_barrier_t met;
	pthread_t thread;
	unsigned class;
	int status;
	pid_t pid;

	pthread_barrier_init(&met, NULL, 2);
	pthread_create(&thread, NULL, churn_and_wait, &met);
	pthread_barrier_wait(&met);
	gate_fork_prepare();
	pid = fork();
	if (!pid) {
		gate_fork_child();
		for (class = 1; class <= NR_KMALLOC_CLASSES; class++)
			if (!all_free(class))
				_exit(1);
		churn();
		_exit(0);
	}
	gate_fork_parent();
	cr_assert(waitpid(pid, &status, 0) == pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	pthread_barrier_wait(&met);
	pthread_join(thread, NULL);
}

Test(harden, thread_leaves_nothing_behind)
{
	pthread_barrier_t met;
	pthread_t thread;
	unsigned class;

	pthread_barrier_init(&met, NULL, 2);
	pthread_create(&thread, NULL, churn_and_wait, &met);
	pthread_barrier_wait(&met);
	pthread_barrier_wait(&met);
	pthread_join(thread, NULL);
	for (class = 1; class <= NR_KMALLOC_CLASSES; class++)
		cr_assert(all_free(class), "class %u", class);
}

static void switch_off(void *arg)
{
	(void)arg;
	harden.on = false;
}

Test(harden, configuration_is_sealed)
{
	cr_assert(died_of(in_child(switch_off, NULL), SIGSEGV));
}

/* Without zeroing, what an object held before must not be taken for a write beyond its end. */
static void fill_and_free(void *arg)
{
	unsigned i;

	(void)arg;
	setenv("KMALLOC_OPTIONS", "hardened:1,hardened_zero:0", 1);
	heap_init();
	for (i = 0; i < 20000; i++) {
		size_t size = 1 + i * 7 % 300;
		char *p = hardened_alloc_zeroed(size);

		if (!all_zero(p, size))
			abort();
		memset(p, 0xff, size);
		hardened_free(p);
	}
}

Test(harden_parts, without_zeroing, .timeout = 60)
{
	int status = in_child(fill_and_free, NULL);

	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void *churn_thread(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 50; i++)
		churn();
	return NULL;
}

Test(harden, threads_at_once)
{
	unsigned class;

	run_threads(6, churn_thread, NULL);
	heap_trim();
	for (class = 1; class <= NR_KMALLOC_CLASSES; class++)
		cr_assert(all_free(class), "class %u", class);
}
