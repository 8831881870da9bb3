/* SPDX-License-Identifier: MIT */
/* latency-none.c: the throughput worker takes no latencies; see latency.c for its twin. */
#include "worker/worker.h"

void latency_start(void)
{
}

void latency_say(void)
{
}
