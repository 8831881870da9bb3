/* SPDX-License-Identifier: MIT */
/*
 * Treap: insertion splits the tree at the new key, removal joins the two subtrees.
 * Invariants: keys in order; no node has a higher priority than its parent.
 */
#include "lib/treap.h"

static uint64_t priority(const struct treap_node *node)
{
	uint64_t x = node->key * UINT64_C(0x9e3779b97f4a7c15);

	return (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

/* Keys below @key go to *low, the others to *high. */
static void split(struct treap_node *tree, uintptr_t key, struct treap_node **low,
		  struct treap_node **high)
{
	while (tree) {
		if (tree->key < key) {
			*low = tree;
			low = &tree->right;
			tree = tree->right;
		} else {
			*high = tree;
			high = &tree->left;
			tree = tree->left;
		}
	}
	*low = NULL;
	*high = NULL;
}

/* All keys of @low are below all keys of @high. */
static struct treap_node *join(struct treap_node *low, struct treap_node *high)
{
	struct treap_node *root, **link = &root;

	while (low && high) {
		if (priority(low) > priority(high)) {
			*link = low;
			link = &low->right;
			low = low->right;
		} else {
			*link = high;
			link = &high->left;
			high = high->left;
		}
	}
	*link = low ? low : high;
	return root;
}

void treap_insert(struct treap_node **root, struct treap_node *node)
{
	while (*root && priority(*root) >= priority(node))
		root = node->key < (*root)->key ? &(*root)->left : &(*root)->right;
	split(*root, node->key, &node->left, &node->right);
	*root = node;
}

void treap_remove(struct treap_node **root, struct treap_node *node)
{
	while (*root != node)
		root = node->key < (*root)->key ? &(*root)->left : &(*root)->right;
	*root = join(node->left, node->right);
}

struct treap_node *treap_floor(struct treap_node *root, uintptr_t key)
{
	struct treap_node *best = NULL;

	while (root) {
		if (root->key <= key) {
			best = root;
			root = root->right;
		} else {
			root = root->left;
		}
	}
	return best;
}
