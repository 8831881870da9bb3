/* SPDX-License-Identifier: MIT */
/* workloads.c: the table of built-in workloads, made from workloads.def. */
#include "worker/worker.h"

#define WORKLOAD(id) extern const struct workload id;
#include "worker/workloads.def"
#undef WORKLOAD

#define WORKLOAD(id) &id,
const struct workload *const workloads[] = {
#include "worker/workloads.def"
};
#undef WORKLOAD

const size_t n_workloads = sizeof(workloads) / sizeof(workloads[0]);
