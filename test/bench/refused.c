/* SPDX-License-Identifier: MIT */
/*
 * N times kill(2) of a process that is not there: ESRCH, the cheapest call of all.
 * With PIDS, of that many different ones in turn, so that no two calls in a row can be counted in one row; with RATE, that
 * many a second.
 */
#include "bench.h"

#define NOBODY 5000000 /* beyond every pid */
#define PACE 1000      /* calls between two looks at the clock */

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 4)
		usage("refused N [PIDS [RATE]]");
	long ops = atol(argv[1]);
	long pids = argc > 2 ? atol(argv[2]) : 1;
	double rate = argc > 3 ? atof(argv[3]) : 0;
	long long from = now_ns();

	for (long i = 0; i < ops; i++) {
		if (rate > 0 && i % PACE == 0)
			until(from + (long long)(i / rate * 1e9));
		if (syscall(SYS_kill, NOBODY + i % pids, SIGTERM) == 0)
			die("kill");
	}
	done(ops, from);
}
