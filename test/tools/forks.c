/* SPDX-License-Identifier: MIT */
/* N children, one after the other, that never exec; child i exits with i % 256. Prints pid, forked, and wrong (must be 0). */
#include "tool.h"

int main(int argc, char **argv)
{
	int wrong = 0, count;

	if (argc != 2)
		usage("forks N");
	count = atoi(argv[1]);
	say("pid=%d", getpid());
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0)
			_exit(i % 256);
		wrong += wait_for(pid) != (i % 256) << 8;
	}
	say("forked=%d", count);
	say("wrong=%d", wrong);
}
