/* SPDX-License-Identifier: MIT */
/*
 * One pid, borne by several processes one after the other: by turns a child exits with status 3, and is killed by its
 * parent with SIGKILL. Needs root (clone3 with set_tid). Prints child=PID, then end=STATUS (raw, as of wait) for each;
 * before these the pid had one more life, which only found that it is free, and exited with 0; unless the pid is given.
 */
#include "tool.h"
#include <linux/sched.h>
#include <stdint.h>

static pid_t fork_as(pid_t pid)
{
	struct clone_args args = { .exit_signal = SIGCHLD };

	args.set_tid = (uintptr_t)&pid;
	args.set_tid_size = 1;
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 2;
	pid_t pid = argc > 2 ? atoi(argv[2]) : fork(); /* one that is free once this child is gone */

	if (pid == 0)
		_exit(0);
	if (argc <= 2)
		wait_for(pid);
	say("pid=%d", getpid());
	say("child=%d", pid);
	for (int round = 0; round < rounds; round++) {
		pid_t child = fork_as(pid);

		if (child < 0)
			die("clone3");
		if (child == 0) {
			if (round % 2 == 0)
				_exit(3);
			for (;;)
				pause();
		}
		if (round % 2 == 1)
			kill(child, SIGKILL);
		say("end=%d", wait_for(child));
	}
}
