/* SPDX-License-Identifier: MIT */
/*
 * Drives the kernel's lib/btree.c, whose nodes come from a memory pool over a cache.
 */
#include <linux/bug.h>
#include <linux/slab.h>
#include <linux/btree.h>

#include <stdio.h>
#include <stdlib.h>

#define KEYS	100000ul

/* Lets the keys come in an order without order: 40503 has no divisor in common with KEYS. */
static unsigned long key(unsigned long i)
{
	return i * 40503 % KEYS + 1;
}

static int check(const char *what, int good)
{
	static int n;

	printf("%sok %d - btree: %s\n", good ? "" : "not ", ++n, what);
	return !good;
}

int main(void)
{
	struct btree_headl head;
	unsigned long i, wrong = 0, found;
	int bad = 0;

	bad += check("init", !btree_initl(&head));
	for (i = 0; i < KEYS; i++)
		wrong += btree_insertl(&head, key(i), (void *)key(i), GFP_KERNEL) != 0;
	bad += check("insert", !wrong);
	for (i = 0; i < KEYS; i++)
		wrong += btree_lookupl(&head, i + 1) != (void *)(i + 1);
	bad += check("lookup", !wrong);
	for (i = 0; i < KEYS; i += 2)
		wrong += btree_removel(&head, key(i)) != (void *)key(i);
	bad += check("remove half", !wrong);
	for (i = found = 0; i < KEYS; i++)
		found += btree_lookupl(&head, i + 1) != NULL;
	bad += check("the other half is there", found == KEYS / 2);
	for (i = 1; i < KEYS; i += 2)
		wrong += btree_removel(&head, key(i)) != (void *)key(i);
	bad += check("remove the rest", !wrong);
	btree_destroyl(&head);
	printf("1..6\n");
	return bad != 0;
}
