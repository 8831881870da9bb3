/* SPDX-License-Identifier: MIT */
/*
 * A cache with a constructor: what is dear to set up stays set up while objects are free.
 *
 *	cc constructor.c $(pkg-config --cflags --libs libkmalloc) -pthread
 */
#include <linux/slab.h>

#include <pthread.h>
#include <stdio.h>

struct connection {
	pthread_mutex_t lock;		/* constructed once, unlocked whenever the object is free */
	int fd;
};

static int constructed;

static void connection_ctor(void *object)
{
	struct connection *c = object;

	pthread_mutex_init(&c->lock, NULL);
	constructed++;
}

int main(void)
{
	struct kmem_cache *cache = kmem_cache_create("connection", sizeof(struct connection), 0,
						     SLAB_HWCACHE_ALIGN, connection_ctor);
	int i, used = 0;

	for (i = 0; i < 100000; i++) {
		struct connection *c = kmem_cache_alloc(cache, GFP_KERNEL);

		if (!c)
			return 1;
		pthread_mutex_lock(&c->lock);
		c->fd = i;
		used++;
		pthread_mutex_unlock(&c->lock);
		kmem_cache_free(cache, c);
	}
	printf("%d connections used, %d mutexes made\n", used, constructed);
	kmem_cache_destroy(cache);
	return constructed > 10000;
}
