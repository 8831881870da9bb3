/* SPDX-License-Identifier: MIT */
/*
 * At the end of memory and back: allocate to the limit, free, allocate again:
 * each round must get as much as the first (10 %), whatever sizes the rounds
 * before were made of. realloc at the limit keeps the old block. Several threads
 * run into the limit together.
 */
#include "stress.h"

#define LIMIT	(600 * MIB)

struct node {
	struct node *next;
	size_t size;
};

static size_t take_all(struct rng *r, size_t max, struct node **list)
{
	size_t had = 0;

	for (;;) {
		size_t size = sizeof(struct node) + (max > 1000 ? rng_size(r, max) : max);

		errno = 0;
		struct node *n = malloc(size);

		if (!n)
			break;
		n->size = size;
		n->next = *list;
		*list = n;
		had += size;
		stamp(n + 1, size - sizeof(*n), size);
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
		errno = 99;
		free(list);
		MUST(errno == 99, "free set errno to %d", errno);
		list = next;
	}
}

/* The same sizes again and again: the last round gets what the first got. */
static bool rounds(size_t max)
{
	size_t first = 0;
	bool good = true;

	for (int n = 0; n < 4; n++) {
		struct rng r = rng_new(max);
		struct node *list = NULL;
		size_t had = take_all(&r, max, &list);

		free_all(list);
		first = n ? first : had;
		say(1, "#   sizes to %zu, round %d: %zu MiB\n", max, n, had / MIB);
		good = good && had >= first - first / 10 && had > LIMIT / 2;
	}
	return good;
}

/* What one size leaves behind is there for the next. */
static bool sizes_change(void)
{
	static const size_t sizes[] = { 100, 48, 500, 30000, 300000, 100 };
	size_t least = LIMIT;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct rng r = rng_new(i);
		struct node *list = NULL;
		size_t had = take_all(&r, sizes[i], &list);

		free_all(list);
		say(1, "#   sizes to %zu: %zu MiB\n", sizes[i], had / MIB);
		least = had < least ? had : least;
	}
	return least > LIMIT / 2;
}

static bool realloc_at_the_limit(void)
{
	struct rng r = rng_new(5);
	char *p = malloc(100000);
	struct node *list = NULL;

	stamp(p, 100000, 6);
	take_all(&r, 3000, &list);
	for (size_t want = 200000; want < LIMIT; want *= 2) {
		errno = 0;
		char *q = realloc(p, want);

		if (!q) {
			MUST(errno == ENOMEM, "errno %d", errno);
			break;
		}
		p = q;
	}
	bool good = stamp_prefix_holds(p, 100000, 100000, 6);

	free(p);
	free_all(list);
	return good;
}

static void *greedy(void *arg)
{
	struct rng r = rng_new((uintptr_t)arg);

	for (int n = 0; n < 3; n++) {
		struct node *list = NULL;

		take_all(&r, 5000, &list);
		free_all(list);
	}
	return NULL;
}

static bool together(void)
{
	pthread_t t[4];

	for (uintptr_t i = 0; i < 4; i++)
		t[i] = thread_start(greedy, (void *)i);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	return true;
}

static bool small_rounds(void) { return rounds(200); }
static bool mixed_rounds(void) { return rounds(50000); }
static bool large_rounds(void) { return rounds(6 * MIB); }

/* In a program run anew: the limit holds from its start and cannot be taken back. */
static void theme(const char *what)
{
	pid_t pid = fork();

	if (pid == 0) {
		const struct rlimit rl = { LIMIT, LIMIT };

		setrlimit(RLIMIT_AS, &rl);
		execl("/proc/self/exe", "enomem", "--theme", what, (char *)NULL);
		_exit(127);
	}
	ok(ended_well(wait_child(pid, 120)), what);
}

static const struct {
	bool (*fn)(void);
	const char *what;
} themes[] = {
	{ small_rounds, "small blocks: every round gets the same" },
	{ mixed_rounds, "mixed blocks: every round gets the same" },
	{ large_rounds, "large blocks: every round gets the same" },
	{ sizes_change, "what one size leaves serves the next" },
	{ realloc_at_the_limit, "realloc at the limit keeps the block" },
	{ together, "four threads at the limit" },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 3 && i < ARRAY_SIZE(themes); i++)
		if (strcmp(argv[2], themes[i].what) == 0) {
			stress.name = "enomem";
			return !themes[i].fn();
		}
	stress_begin(argc, argv, "enomem");
	for (size_t i = 0; i < ARRAY_SIZE(themes); i++)
		theme(themes[i].what);
	return stress_end();
}
