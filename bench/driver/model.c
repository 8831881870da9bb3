/* SPDX-License-Identifier: MIT */
/* model.c: looking things up in a set, and dropping it. */
#include "driver/model.h"

#include <stdlib.h>
#include <string.h>

const char *const outcome_name[N_OUTCOMES] = {
	"ok", "skipped", "wrong result", "crash", "timeout", "not bound",
};

const char *const latency_name[LATENCY_CALLS] = {
	"malloc", "calloc", "realloc", "posix_memalign", "free",
};

struct task *set_task(const struct set *set, const char *name)
{
	for (size_t i = 0; i < set->tasks; i++)
		if (!strcmp(set->task[i].name, name))
			return &set->task[i];
	return NULL;
}

struct cell *set_cell(const struct set *set, const char *task, unsigned threads,
		      const char *allocator)
{
	for (size_t i = 0; i < set->cells; i++) {
		struct cell *c = &set->cell[i];

		if (c->threads == threads && !strcmp(c->task->name, task) &&
		    !strcmp(c->allocator->name, allocator))
			return c;
	}
	return NULL;
}

const struct sample *cell_failure(const struct cell *cell)
{
	for (size_t i = 0; i < cell->n; i++)
		if (cell->sample[i].outcome != RUN_OK)
			return &cell->sample[i];
	return NULL;
}

static void cell_clear(struct cell *cell)
{
	free(cell->sample);
	free(cell->memory.point);
	for (int i = 0; i < LATENCY_CALLS; i++)
		free(cell->latency[i]);
}

static void allocator_clear(struct allocator *a)
{
	free(a->name);
	free(a->path);
	free(a->env);
	free(a->version);
	free(a->build_id);
}

static void task_clear(struct task *t)
{
	free(t->name);
	free(t->family);
	free(t->unit);
	free(t->what);
	free(t->file);
}

void set_free(struct set *set)
{
	for (size_t i = 0; i < set->cells; i++)
		cell_clear(&set->cell[i]);
	for (size_t i = 0; i < set->allocators; i++)
		allocator_clear(&set->allocator[i]);
	for (size_t i = 0; i < set->tasks; i++)
		task_clear(&set->task[i]);
	free(set->cell);
	free(set->allocator);
	free(set->task);
	json_decref(set->provenance);
	memset(set, 0, sizeof(*set));
}
