/* SPDX-License-Identifier: MIT */
/* Runs a program N times, one after the other, as fast as it goes. Prints pid, spawned, failed (did not start, or not 0). */
#include "tool.h"
#include <spawn.h>

extern char **environ;

int main(int argc, char **argv)
{
	long spawned = 0, failed = 0;
	pid_t pid;

	if (argc < 3)
		usage("spawn N PATH [ARG…]");
	say("pid=%d", getpid());
	for (long i = atol(argv[1]); i > 0; i--) {
		if (posix_spawn(&pid, argv[2], NULL, NULL, argv + 2, environ)) {
			failed++;
			continue;
		}
		spawned++;
		failed += wait_for(pid) != 0;
	}
	say("spawned=%ld", spawned);
	say("failed=%ld", failed);
}
