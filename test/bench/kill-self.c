/* SPDX-License-Identifier: MIT */
/* N times kill(getpid(), 0): the cheapest call of kill(2) that succeeds. */
#include "bench.h"

int main(int argc, char **argv)
{
	if (argc != 2)
		usage("kill-self N");
	long ops = atol(argv[1]);
	pid_t self = getpid();
	long long from = now_ns();

	for (long i = 0; i < ops; i++)
		if (syscall(SYS_kill, self, 0) != 0)
			die("kill");
	done(ops, from);
}
