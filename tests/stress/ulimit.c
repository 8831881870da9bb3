/* SPDX-License-Identifier: MIT */
/*
 * Little address space (ulimit -v): the program runs itself anew under limits
 * from 64 to 512 MB and must start, use most of what is there, be refused with
 * ENOMEM at the limit, and go on. A thread must find room for a stack of 8 MiB.
 */
#include "stress.h"

#define MB	((size_t)1000 * 1000)

static const size_t limits[] = { 64, 96, 128, 256, 512 };	/* MB */

struct node {
	struct node *next;
	size_t size;
};

/* Allocates blocks of one size until refused; the bytes that were had. */
static size_t take_all(size_t size, struct node **list)
{
	size_t had = 0;
	struct node *n;

	errno = 0;
	while ((n = malloc(size))) {
		stamp(n + 1, size - sizeof(*n), size);
		n->size = size;
		n->next = *list;
		*list = n;
		had += size;
	}
	MUST(errno == ENOMEM, "refused with errno %d", errno);
	return had;
}

static void free_all(struct node *list)
{
	while (list) {
		struct node *next = list->next;

		MUST(stamp_holds(list + 1, list->size - sizeof(*list), list->size),
		     "block of %zu bytes is damaged", list->size);
		free(list);
		list = next;
	}
}

static void *thread(void *arg)
{
	free(malloc(1000));
	return arg;
}

/* What the child does; its exit code says what went wrong. */
static int live_within(size_t limit)
{
	static const size_t sizes[] = { 64, 1000, 20000, 200000, 2000000 };
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 8 * MIB);
	if (pthread_create(&t, &attr, thread, NULL))
		return 20;
	pthread_join(t, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct node *list = NULL;
		size_t had = take_all(sizes[i], &list);

		say(1, "#   %zu of %zu MB in blocks of %zu\n", had / MB, limit / MB, sizes[i]);
		free_all(list);
		malloc_trim(0);
		if (had < limit / 2)
			return 10 + (int)i;
	}
	return 0;
}

static void theme(size_t mb)
{
	char what[64], number[32];
	pid_t pid = fork();

	snprintf(what, sizeof(what), "ulimit -v %zu MB", mb);
	snprintf(number, sizeof(number), "%zu", mb * MB);
	if (pid == 0) {
		const struct rlimit rl = { mb * MB, mb * MB };

		setrlimit(RLIMIT_AS, &rl);
		execl("/proc/self/exe", "ulimit", "--within", number, (char *)NULL);
		_exit(127);
	}
	int status = wait_child(pid, 60);

	if (!ok(ended_well(status), what))
		say(1, "# wait status %#x (exit 1x: too little of size x; 20: no thread)\n",
		    (unsigned)status);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--within") == 0) {
		stress.name = "ulimit";
		return live_within(strtoul(argv[2], NULL, 10));
	}
	stress_begin(argc, argv, "ulimit");
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		theme(limits[i]);
	return stress_end();
}
