/* SPDX-License-Identifier: MIT */
/*
 * Lists, bits, bitmaps and treaps, each against the simplest thing that does the same.
 */
#include "unit.h"

#include "lib/bitmap.h"
#include "lib/list.h"
#include "lib/treap.h"

TestSuite(lib, .timeout = 60);

struct item {
	int value;
	struct list_node node;
};

static void expect_values(const struct list_node *head, const int *values, int n)
{
	const struct list_node *pos;
	int i = 0;

	list_for_each(pos, head) {
		cr_assert(i < n);
		cr_assert(list_entry(pos, struct item, node)->value == values[i]);
		cr_assert(pos->next->prev == pos && pos->prev->next == pos);
		i++;
	}
	cr_assert(i == n);
}

Test(lib, list_is_stack_queue_and_more)
{
	struct item items[4];
	struct list_node a, b, *pos, *next;

	list_init(&a);
	list_init(&b);
	cr_assert(list_empty(&a));
	for (int i = 0; i < 4; i++)
		items[i].value = i;
	list_add(&items[0].node, &a);
	list_add(&items[1].node, &a);
	list_add_tail(&items[2].node, &a);
	list_add_tail(&items[3].node, &b);
	expect_values(&a, (int[]){ 1, 0, 2 }, 3);
	cr_assert(list_first(&a, struct item, node) == &items[1]);
	cr_assert(list_last(&a, struct item, node) == &items[2]);
	list_del(&items[0].node);
	expect_values(&a, (int[]){ 1, 2 }, 2);
	list_splice_init(&a, &b);
	cr_assert(list_empty(&a));
	expect_values(&b, (int[]){ 1, 2, 3 }, 3);
	list_splice_init(&a, &b);
	expect_values(&b, (int[]){ 1, 2, 3 }, 3);
	list_for_each_safe(pos, next, &b)
		list_del(pos);
	cr_assert(list_empty(&b));
}

Test(lib, bits_agree_with_counting)
{
	for (size_t x = 1; x < 70000; x++) {
		unsigned log = 0, order = 0;

		while (x >> (log + 1))
			log++;
		while ((size_t)1 << order < x)
			order++;
		cr_assert(ilog2(x) == log, "%zu", x);
		cr_assert(order_of(x) == order, "%zu", x);
		cr_assert(is_power_of_2(x) == ((size_t)1 << log == x), "%zu", x);
		cr_assert(!(x & 1) == (lowest_bit(x) > 0), "%zu", x);
		cr_assert(align_up(x, 64) >= x && align_up(x, 64) - x < 64, "%zu", x);
		cr_assert(align_up(x, 64) % 64 == 0 && align_down(x, 64) % 64 == 0, "%zu", x);
		cr_assert(align_down(x, 64) <= x && x - align_down(x, 64) < 64, "%zu", x);
	}
	cr_assert(!is_power_of_2(0) && order_of(0) == 0);
	cr_assert(ilog2(SIZE_MAX) == 63 && lowest_bit(UINT64_C(1) << 63) == 63);
}

enum { NR_BITS = 64 * 5 };

struct bit_model {
	uint64_t map[BITMAP_WORDS(NR_BITS)];
	bool bit[NR_BITS];
};

static unsigned model_count(const struct bit_model *m, size_t start, size_t n)
{
	unsigned sum = 0;

	for (size_t i = start; i < start + n; i++)
		sum += m->bit[i];
	return sum;
}

static void change_range(struct bit_model *m, size_t start, size_t n, bool value)
{
	if (value)
		bitmap_set_range(m->map, start, n);
	else
		bitmap_clear_range(m->map, start, n);
	for (size_t i = start; i < start + n; i++)
		m->bit[i] = value;
}

static void change_bit(struct bit_model *m, unsigned i, bool value)
{
	if (value)
		bitmap_set(m->map, i);
	else
		bitmap_clear(m->map, i);
	m->bit[i] = value;
}

Test(lib, bitmap_agrees_with_an_array)
{
	struct bit_model m = { { 0 }, { false } };

	for (int round = 0; round < 100000; round++) {
		size_t start = random_below(NR_BITS), n = random_below(NR_BITS - start + 1);
		unsigned one = (unsigned)random_below(NR_BITS);

		if (random_below(2))
			change_range(&m, start, n, random_below(2));
		else
			change_bit(&m, one, random_below(2));
		start = random_below(NR_BITS);
		n = random_below(NR_BITS - start + 1);
		cr_assert(bitmap_count_range(m.map, start, n) == model_count(&m, start, n));
		cr_assert(bitmap_test(m.map, one) == m.bit[one]);
	}
}

Test(lib, bitmap_fill_sets_just_the_first_ones)
{
	for (unsigned n = 0; n <= NR_BITS; n++) {
		uint64_t map[BITMAP_WORDS(NR_BITS) + 1] = { 0 };

		bitmap_fill(map, n);
		for (unsigned i = 0; i < NR_BITS + 64; i++)
			cr_assert(bitmap_test(map, i) == (i < n), "%u of %u", i, n);
	}
}

enum { NR_KEYS = 300 };

struct treap_model {
	struct treap_node *root;
	struct treap_node node[NR_KEYS];
	bool in[NR_KEYS];
};

static struct treap_node *model_floor(struct treap_model *m, uintptr_t key)
{
	for (long i = (long)min(key / 10, (uintptr_t)NR_KEYS - 1); i >= 0; i--)
		if (m->in[i])
			return &m->node[i];
	return NULL;
}

static void toggle(struct treap_model *m, unsigned i)
{
	if (m->in[i]) {
		treap_remove(&m->root, &m->node[i]);
	} else {
		m->node[i].key = i * 10;
		treap_insert(&m->root, &m->node[i]);
	}
	m->in[i] = !m->in[i];
}

static unsigned depth(const struct treap_node *node)
{
	return node ? 1 + max(depth(node->left), depth(node->right)) : 0;
}

Test(lib, treap_agrees_with_an_array)
{
	static struct treap_model m;

	for (int round = 0; round < 100000; round++) {
		uintptr_t key = random_below(NR_KEYS * 10 + 50);

		toggle(&m, (unsigned)random_below(NR_KEYS));
		cr_assert(treap_floor(m.root, key) == model_floor(&m, key));
	}
	for (unsigned i = 0; i < NR_KEYS; i++)
		if (m.in[i])
			toggle(&m, i);
	cr_assert(m.root == NULL);
	cr_assert(treap_floor(m.root, UINTPTR_MAX) == NULL);
}

/* Addresses come in ascending order: a plain tree would be a list. */
Test(lib, treap_stays_shallow)
{
	enum { COUNT = 1 << 16 };
	static struct treap_node node[COUNT];
	struct treap_node *root = NULL;

	for (uintptr_t i = 0; i < COUNT; i++) {
		node[i].key = (i + 1) << 21;
		treap_insert(&root, &node[i]);
	}
	cr_assert(depth(root) <= 64, "depth %u", depth(root));
}
