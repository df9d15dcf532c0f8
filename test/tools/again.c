/* SPDX-License-Identifier: MIT */
/* Runs a command N times, one after the other. Prints pid, and end=PID:STATUS (raw, as of wait) for each. */
#include "tool.h"

int main(int argc, char **argv)
{
	if (argc < 3)
		usage("again N CMD…");
	say("pid=%d", getpid());
	for (int i = 0; i < atoi(argv[1]); i++) {
		pid_t child = fork();

		if (child == 0) {
			execv(argv[2], argv + 2);
			die(argv[2]);
		}
		int status = wait_for(child);

		say("end=%d:%d", child, status);
	}
}
