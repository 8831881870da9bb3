/* SPDX-License-Identifier: MIT */
/*
 * An ordered set of addresses: a binary search tree by key that is a heap by a hash of the key
 * (Seidel and Aragon, "Randomized Search Trees", 1996).  Nodes are embedded in their owner, so
 * nothing is allocated; expected depth is logarithmic for any order of insertion.
 * The caller holds the lock that guards the tree.
 */
#ifndef LIB_TREAP_H
#define LIB_TREAP_H

#include "lib/compiler.h"

struct treap_node {
	uintptr_t key;
	struct treap_node *left, *right;
};

/* The key must not be in the tree. */
void treap_insert(struct treap_node **root, struct treap_node *node);

/* The node must be in the tree. */
void treap_remove(struct treap_node **root, struct treap_node *node);

/* The node with the largest key that is not above @key, or NULL. */
struct treap_node *treap_floor(struct treap_node *root, uintptr_t key);

#endif
