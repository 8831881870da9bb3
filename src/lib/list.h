/* SPDX-License-Identifier: MIT */
/*
 * Circular doubly linked lists with the kernel's names.  A head that was never
 * initialised (all zero) is not a valid list: use list_init().
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/compiler.h"

struct list_node {
	struct list_node *next, *prev;
};

static inline void list_init(struct list_node *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list_node *head)
{
	return head->next == head;
}

static inline void list_insert(struct list_node *node, struct list_node *prev,
			       struct list_node *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

/* Behind the head: the list used as a stack. */
static inline void list_add(struct list_node *node, struct list_node *head)
{
	list_insert(node, head, head->next);
}

/* In front of the head: the list used as a queue. */
static inline void list_add_tail(struct list_node *node, struct list_node *head)
{
	list_insert(node, head->prev, head);
}

static inline void list_del(struct list_node *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
}

/* The first one of a list that is not empty. */
static inline struct list_node *list_pop(struct list_node *head)
{
	struct list_node *node = head->next;

	head->next = node->next;
	node->next->prev = head;
	return node;
}

/* All of @from moves behind @head; @from is empty afterwards. */
static inline void list_splice_init(struct list_node *from, struct list_node *head)
{
	if (list_empty(from))
		return;
	from->prev->next = head->next;
	head->next->prev = from->prev;
	head->next = from->next;
	from->next->prev = head;
	list_init(from);
}

#define list_entry(ptr, type, member)	container_of(ptr, type, member)
#define list_first(head, type, member)	list_entry((head)->next, type, member)
#define list_last(head, type, member)	list_entry((head)->prev, type, member)

#define list_for_each(pos, head) \
	for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)

#define list_for_each_safe(pos, tmp, head) \
	for ((pos) = (head)->next, (tmp) = (pos)->next; (pos) != (head); \
	     (pos) = (tmp), (tmp) = (pos)->next)

#endif
