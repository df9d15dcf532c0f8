/* SPDX-License-Identifier: MIT */
/* What every workload needs: it times itself from within, so that the start of the process does not count. */
#ifndef BENCH_H
#define BENCH_H

#include "../tools/tool.h"
#include <time.h>

static inline long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* The last line of every workload: how many operations it did, in how many nanoseconds. */
static inline void done(long ops, long long from_ns)
{
	long long ns = now_ns() - from_ns;

	say("pid=%d", getpid());
	say("ops=%ld", ops);
	say("ns=%lld", ns);
}

/* Waits until `at_ns`, without sleeping: the pace of a workload is not to depend on a timer. */
static inline void until(long long at_ns)
{
	while (now_ns() < at_ns)
		;
}

#endif
