/* SPDX-License-Identifier: MIT */
/* N raw kill(2) calls as fast as they go, to itself or to another process; a SIG that would end it must not be sent to self. */
#include "tool.h"
#include <time.h>

int main(int argc, char **argv)
{
	struct timespec from, to;
	long calls, failed = 0;

	if (argc != 4)
		usage("storm N SIG self|PID");
	calls = atol(argv[1]);
	int sig = atoi(argv[2]);
	pid_t pid = strcmp(argv[3], "self") ? atoi(argv[3]) : getpid();

	say("pid=%d", getpid());
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (long i = 0; i < calls; i++)
		failed += syscall(SYS_kill, pid, sig) != 0;
	clock_gettime(CLOCK_MONOTONIC, &to);
	say("calls=%ld", calls);
	say("failed=%ld", failed);
	say("ns=%lld", (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec);
}
