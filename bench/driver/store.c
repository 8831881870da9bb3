/* SPDX-License-Identifier: MIT */
/*
 * store.c: a set as JSON: everything that was measured, so that every report can be made again
 * from it and anybody can compute figures of their own.
 *
 *	{ "format": "kmalloc-bench", "version": 1, "provenance": {…},
 *	  "allocators": [{ "name", "path", "env", "version", "build_id" }],
 *	  "workloads": [{ "name", "family", "unit", "what", "flags" }],
 *	  "cells": [{ "workload", "allocator", "threads", "instructions",
 *		      "samples": [{ "outcome", "why", "wall", … }],
 *		      "memory": { "load", "idle",
 *				  "points": [[t, rss, dirty, lazy, huge, live], …] },
 *		      "latency": { "malloc": { "max", "buckets": [[index, count], …] } } }] }
 *
 * Fields of a sample are in one table, which both directions use.
 */
#include "driver/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "driver/memory.h"
#include "driver/util.h"

enum { VERSION = 1 };

static const struct {
	const char *name;
	size_t offset;
} sample_field[] = {
	{ "wall", offsetof(struct sample, wall) },
	{ "user", offsetof(struct sample, user) },
	{ "sys", offsetof(struct sample, sys) },
	{ "work_wall", offsetof(struct sample, work_wall) },
	{ "work_cpu", offsetof(struct sample, work_cpu) },
	{ "ops", offsetof(struct sample, ops) },
	{ "op_ns", offsetof(struct sample, op_ns) },
	{ "op_min_ns", offsetof(struct sample, op_min_ns) },
	{ "minflt", offsetof(struct sample, minflt) },
	{ "majflt", offsetof(struct sample, majflt) },
	{ "nvcsw", offsetof(struct sample, nvcsw) },
	{ "nivcsw", offsetof(struct sample, nivcsw) },
	{ "peak", offsetof(struct sample, peak) },
	{ "live", offsetof(struct sample, live) },
	{ "value", offsetof(struct sample, value) },
};

enum { N_SAMPLE_FIELDS = sizeof(sample_field) / sizeof(sample_field[0]) };

static void put_string(json_t *o, const char *key, const char *s)
{
	json_object_set_new(o, key, s ? json_string(s) : json_null());
}

static json_t *encode_allocator(const struct allocator *a)
{
	json_t *o = json_object();

	put_string(o, "name", a->name);
	put_string(o, "path", a->path);
	put_string(o, "env", a->env);
	put_string(o, "version", a->version);
	put_string(o, "build_id", a->build_id);
	return o;
}

static json_t *encode_task(const struct task *t)
{
	json_t *o = json_object();

	put_string(o, "name", t->name);
	put_string(o, "family", t->family);
	put_string(o, "unit", t->unit);
	put_string(o, "what", t->what);
	json_object_set_new(o, "flags", json_integer(t->flags));
	return o;
}

static json_t *encode_sample(const struct sample *s)
{
	json_t *o = json_object();

	put_string(o, "outcome", outcome_name[s->outcome]);
	if (s->outcome != RUN_OK)
		put_string(o, "why", s->why);
	for (int i = 0; i < N_SAMPLE_FIELDS; i++) {
		double v = *(const double *)((const char *)s + sample_field[i].offset);

		json_object_set_new(o, sample_field[i].name, json_real(v));
	}
	return o;
}

static json_t *encode_memory(const struct timeline *m)
{
	json_t *o = json_object(), *points = json_array();

	json_object_set_new(o, "load", json_real(m->load));
	json_object_set_new(o, "idle", json_real(m->idle));
	json_object_set_new(o, "peak", json_real(m->peak));
	json_object_set_new(o, "integral", json_real(m->integral));
	json_object_set_new(o, "idle_1s", json_real(m->idle1));
	json_object_set_new(o, "idle_10s", json_real(m->idle10));
	for (size_t i = 0; i < m->n; i++) {
		const struct point *p = &m->point[i];

		json_array_append_new(points, json_pack("[f,f,f,f,f,f]", p->t, p->rss,
							p->dirty, p->lazy, p->huge, p->live));
	}
	json_object_set_new(o, "points", points);
	return o;
}

static json_t *encode_hist(const struct hist *h)
{
	json_t *o = json_object(), *buckets = json_array();

	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		if (h->count[i])
			json_array_append_new(buckets, json_pack("[i,I]", (int)i,
								 (json_int_t)h->count[i]));
	json_object_set_new(o, "max", json_integer((json_int_t)h->max));
	json_object_set_new(o, "p50", json_integer((json_int_t)hist_quantile(h, 0.5)));
	json_object_set_new(o, "p99", json_integer((json_int_t)hist_quantile(h, 0.99)));
	json_object_set_new(o, "p999", json_integer((json_int_t)hist_quantile(h, 0.999)));
	json_object_set_new(o, "buckets", buckets);
	return o;
}

static json_t *encode_latency(const struct cell *c)
{
	json_t *o = json_object();

	for (int i = 0; i < LATENCY_CALLS; i++)
		if (c->latency[i])
			json_object_set_new(o, latency_name[i], encode_hist(c->latency[i]));
	return o;
}

static json_t *encode_cell(const struct cell *c)
{
	json_t *o = json_object(), *samples = json_array();

	put_string(o, "workload", c->task->name);
	put_string(o, "allocator", c->allocator->name);
	json_object_set_new(o, "threads", json_integer(c->threads));
	if (c->instructions >= 0)
		json_object_set_new(o, "instructions", json_real(c->instructions));
	for (size_t i = 0; i < c->n; i++)
		json_array_append_new(samples, encode_sample(&c->sample[i]));
	json_object_set_new(o, "samples", samples);
	if (c->memory.n)
		json_object_set_new(o, "memory", encode_memory(&c->memory));
	json_object_set_new(o, "latency", encode_latency(c));
	return o;
}

json_t *store_encode(const struct set *set)
{
	json_t *root = json_object(), *list = json_array();

	put_string(root, "format", "kmalloc-bench");
	json_object_set_new(root, "version", json_integer(VERSION));
	json_object_set(root, "provenance", set->provenance);
	for (size_t i = 0; i < set->allocators; i++)
		json_array_append_new(list, encode_allocator(&set->allocator[i]));
	json_object_set_new(root, "allocators", list);
	list = json_array();
	for (size_t i = 0; i < set->tasks; i++)
		json_array_append_new(list, encode_task(&set->task[i]));
	json_object_set_new(root, "workloads", list);
	list = json_array();
	for (size_t i = 0; i < set->cells; i++)
		json_array_append_new(list, encode_cell(&set->cell[i]));
	json_object_set_new(root, "cells", list);
	return root;
}

static char *get_string(const json_t *o, const char *key)
{
	return xstrdup(json_string_value(json_object_get(o, key)));
}

static double get_number(const json_t *o, const char *key, double otherwise)
{
	const json_t *v = json_object_get(o, key);

	return json_is_number(v) ? json_number_value(v) : otherwise;
}

static void decode_allocators(struct set *set, const json_t *list)
{
	set->allocators = json_array_size(list);
	set->allocator = xcalloc(set->allocators, sizeof(*set->allocator));
	for (size_t i = 0; i < set->allocators; i++) {
		const json_t *o = json_array_get(list, i);

		set->allocator[i] = (struct allocator){
			.name = get_string(o, "name"), .path = get_string(o, "path"),
			.env = get_string(o, "env"), .version = get_string(o, "version"),
			.build_id = get_string(o, "build_id"),
		};
	}
}

static void decode_tasks(struct set *set, const json_t *list)
{
	set->tasks = json_array_size(list);
	set->task = xcalloc(set->tasks, sizeof(*set->task));
	for (size_t i = 0; i < set->tasks; i++) {
		const json_t *o = json_array_get(list, i);

		set->task[i] = (struct task){
			.name = get_string(o, "name"), .family = get_string(o, "family"),
			.unit = get_string(o, "unit"), .what = get_string(o, "what"),
			.flags = (unsigned)get_number(o, "flags", 0),
		};
	}
}

static enum outcome decode_outcome(const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "outcome"));

	for (int i = 0; name && i < N_OUTCOMES; i++)
		if (!strcmp(name, outcome_name[i]))
			return (enum outcome)i;
	return RUN_CRASH;
}

static void decode_sample(struct sample *s, const json_t *o)
{
	const char *why = json_string_value(json_object_get(o, "why"));

	s->outcome = decode_outcome(o);
	snprintf(s->why, WHY_SIZE, "%s", why ? why : "");
	for (int i = 0; i < N_SAMPLE_FIELDS; i++)
		*(double *)((char *)s + sample_field[i].offset) =
			get_number(o, sample_field[i].name, 0);
}

static void decode_memory(struct timeline *m, const json_t *o)
{
	const json_t *points = json_object_get(o, "points");

	m->idle = get_number(o, "idle", -1);
	m->load = get_number(o, "load", 0);
	m->n = json_array_size(points);
	m->point = xcalloc(m->n, sizeof(*m->point));
	for (size_t i = 0; i < m->n; i++) {
		const json_t *p = json_array_get(points, i);

		m->point[i] = (struct point){
			.t = json_number_value(json_array_get(p, 0)),
			.rss = json_number_value(json_array_get(p, 1)),
			.dirty = json_number_value(json_array_get(p, 2)),
			.lazy = json_number_value(json_array_get(p, 3)),
			.huge = json_number_value(json_array_get(p, 4)),
			.live = json_number_value(json_array_get(p, 5)),
		};
	}
	memory_finish(m);
}

static struct hist *decode_hist(const json_t *o)
{
	const json_t *buckets = json_object_get(o, "buckets");
	struct hist *h;

	if (!o)
		return NULL;
	h = xcalloc(1, sizeof(*h));
	h->max = (uint64_t)get_number(o, "max", 0);
	for (size_t i = 0; i < json_array_size(buckets); i++) {
		const json_t *b = json_array_get(buckets, i);
		json_int_t index = json_integer_value(json_array_get(b, 0));
		json_int_t count = json_integer_value(json_array_get(b, 1));

		if (index < 0 || index >= (json_int_t)HIST_BUCKETS || count < 0)
			continue;
		h->count[index] = (uint64_t)count;
		h->total += (uint64_t)count;
	}
	return h;
}

static const struct allocator *named_allocator(const struct set *set, const char *name)
{
	for (size_t i = 0; name && i < set->allocators; i++)
		if (!strcmp(set->allocator[i].name, name))
			return &set->allocator[i];
	return NULL;
}

static int decode_cell(const struct set *set, struct cell *c, const json_t *o)
{
	const char *task = json_string_value(json_object_get(o, "workload"));
	const json_t *samples = json_object_get(o, "samples");
	const json_t *latency = json_object_get(o, "latency");

	c->task = task ? set_task(set, task) : NULL;
	c->allocator = named_allocator(set, json_string_value(json_object_get(o, "allocator")));
	if (!c->task || !c->allocator)
		return -1;
	c->threads = (unsigned)get_number(o, "threads", 1);
	c->instructions = get_number(o, "instructions", -1);
	c->n = json_array_size(samples);
	c->sample = xcalloc(c->n, sizeof(*c->sample));
	for (size_t i = 0; i < c->n; i++)
		decode_sample(&c->sample[i], json_array_get(samples, i));
	c->memory.idle = c->memory.idle1 = c->memory.idle10 = -1;
	if (json_object_get(o, "memory"))
		decode_memory(&c->memory, json_object_get(o, "memory"));
	for (int i = 0; i < LATENCY_CALLS; i++)
		c->latency[i] = decode_hist(json_object_get(latency, latency_name[i]));
	return 0;
}

static int decode_cells(struct set *set, const json_t *list)
{
	set->cell = xcalloc(json_array_size(list), sizeof(*set->cell));
	for (size_t i = 0; i < json_array_size(list); i++)
		if (decode_cell(set, &set->cell[set->cells++], json_array_get(list, i)))
			return -1;
	return set->allocators && set->cells % set->allocators == 0 ? 0 : -1;
}

int store_decode(struct set *set, const json_t *root, char *why, size_t size)
{
	const char *format = json_string_value(json_object_get(root, "format"));

	if (!format || strcmp(format, "kmalloc-bench")) {
		snprintf(why, size, "not a result of kmalloc-bench");
		return -1;
	}
	if (get_number(root, "version", 0) != VERSION) {
		snprintf(why, size, "version %g of the format is not known here",
			 get_number(root, "version", 0));
		return -1;
	}
	set->provenance = json_deep_copy(json_object_get(root, "provenance"));
	set->scale = get_number(set->provenance, "scale", 1);
	set->rounds = (unsigned)get_number(set->provenance, "rounds", 0);
	decode_allocators(set, json_object_get(root, "allocators"));
	decode_tasks(set, json_object_get(root, "workloads"));
	if (decode_cells(set, json_object_get(root, "cells"))) {
		snprintf(why, size, "the cells do not fit the lists");
		return -1;
	}
	return 0;
}

void store_save(const struct set *set, const char *path)
{
	json_t *root = store_encode(set);

	if (json_dump_file(root, path, JSON_INDENT(1) | JSON_REAL_PRECISION(10)))
		fatal("cannot write %s", path);
	json_decref(root);
}

void store_load(struct set *set, const char *path)
{
	struct stat st;
	char *file = !stat(path, &st) && S_ISDIR(st.st_mode) ? xprintf("%s/results.json", path)
							     : xstrdup(path);
	json_error_t error;
	json_t *root = json_load_file(file, 0, &error);
	char why[128];

	if (!root)
		fatal("%s: line %d: %s", file, error.line, error.text);
	if (store_decode(set, root, why, sizeof(why)))
		fatal("%s: %s", file, why);
	json_decref(root);
	free(file);
}
