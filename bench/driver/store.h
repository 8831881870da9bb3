/* SPDX-License-Identifier: MIT */
/* store.h: a set as JSON. */
#ifndef KB_STORE_H
#define KB_STORE_H

#include "driver/model.h"

json_t *store_encode(const struct set *set);
/* 0, or -1 with the reason in why. */
int store_decode(struct set *set, const json_t *root, char *why, size_t size);

void store_save(const struct set *set, const char *path);
/* path: a results.json or a directory with one; fatal if it cannot be read. */
void store_load(struct set *set, const char *path);

#endif
