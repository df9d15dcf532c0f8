/* SPDX-License-Identifier: MIT */
/* N signals, to 64 children in turn that ignore them: nobody is woken, so that only the sending is measured. */
#include "bench.h"

#define CHILDREN 64

int main(int argc, char **argv)
{
	pid_t children[CHILDREN];

	if (argc != 2)
		usage("kill-64 N");
	long ops = atol(argv[1]);

	signal(SIGUSR1, SIG_IGN); /* inherited */
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] < 0)
			die("fork");
		if (children[i] == 0)
			for (;;)
				pause();
	}
	long long from = now_ns();

	for (long i = 0; i < ops; i++)
		if (syscall(SYS_kill, children[i % CHILDREN], SIGUSR1) != 0)
			die("kill");
	done(ops, from);
	for (int i = 0; i < CHILDREN; i++) {
		kill(children[i], SIGKILL);
		wait_for(children[i]);
	}
}
