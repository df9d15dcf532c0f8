/* SPDX-License-Identifier: MIT */
/*
 * N queued real-time signals from SENDERS processes at once to one that takes them: each has a value of its own, and none
 * is dropped for another.
 */
#include "bench.h"
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define SIGNALS 20
#define AHEAD 64 /* signals in the queue at most: the kernel searches it from its start */

static _Atomic long *sent, *taken;

static void send(pid_t target, long count)
{
	union sigval value;

	for (long i = 0; i < count; i++) {
		while (*sent - *taken >= AHEAD)
			sched_yield();
		++*sent;
		value.sival_int = (int)i;
		if (sigqueue(target, SIGRTMIN + (int)(i % SIGNALS), value) != 0)
			_exit(2);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	sigset_t queued;
	siginfo_t info;

	if (argc != 3)
		usage("queued N SENDERS");
	int senders = atoi(argv[2]);
	long each = atol(argv[1]) / senders;

	sent = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sent == MAP_FAILED)
		die("mmap");
	taken = sent + 64;
	sigemptyset(&queued);
	for (int i = 0; i < SIGNALS; i++)
		sigaddset(&queued, SIGRTMIN + i);
	sigprocmask(SIG_BLOCK, &queued, NULL);
	long long from = now_ns();
	pid_t target = getpid();

	for (int i = 0; i < senders; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0)
			send(target, each);
	}
	for (long got = 0; got < each * senders; got++) {
		if (sigwaitinfo(&queued, &info) < 0)
			die("sigwaitinfo");
		++*taken;
	}
	done(each * senders, from);
	for (int i = 0; i < senders; i++)
		wait(NULL);
}
