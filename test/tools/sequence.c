/* SPDX-License-Identifier: MIT */
/*
 * Numbered events: kill(FIRST + i, 0) for i from 0 on, PER_SECOND of them, of pids that nobody can have. Each is refused
 * with ESRCH, is unlike any other, and keeps its number as target_arg. Ends after COUNT, with 0 at SIGTERM. PER_SECOND 0: as
 * fast as they go. Prints pid, then sent=N.
 */
#include "tool.h"
#include <time.h>

static volatile sig_atomic_t stopping;

static void on_term(int sig)
{
	(void)sig;
	stopping = 1;
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	struct sigaction term = { .sa_handler = on_term };
	const struct timespec tick = { .tv_nsec = 1000000 };
	long sent = 0;

	if (argc != 4 || atol(argv[1]) <= 4194304) /* PID_MAX_LIMIT */
		usage("sequence FIRST COUNT PER_SECOND; FIRST beyond every pid");
	long first = atol(argv[1]), count = atol(argv[2]), per_second = atol(argv[3]);

	default_signals();
	sigaction(SIGTERM, &term, NULL);
	say("pid=%d", getpid());
	long long from = now();
	while (!stopping && (count == 0 || sent < count)) {
		long due = per_second ? (long)((now() - from) * per_second / 1000000000) : sent + 1000;

		for (; sent < due && (count == 0 || sent < count); sent++)
			if (syscall(SYS_kill, first + sent, 0) == 0 || errno != ESRCH)
				die("kill");
		if (per_second)
			nanosleep(&tick, NULL);
	}
	say("sent=%ld", sent);
}
