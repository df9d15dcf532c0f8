/* SPDX-License-Identifier: MIT */
/*
 * A process sends itself a signal as fast as it goes, by kill(2) or by rt_sigqueueinfo(2) with any code; on the same
 * processor, so in the midst of these calls, the timer of another process sends that one the same signal, N times.
 * Prints pid, timer (that other process), ticks (how many it received), and sent.
 */
#include "tool.h"
#include <sched.h>
#include <time.h>

#define SIG SIGUSR1

static void pin(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("sched_setaffinity");
}

static _Noreturn void be_timed(long ticks, const sigset_t *set)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIG };
	struct itimerspec every = { { 0, 200000 }, { 0, 200000 } }, never = { 0 };
	const struct timespec none = { 0 };
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &every, NULL))
		die("timer");
	for (long received = 0; received < ticks; received++)
		if (sigwaitinfo(set, NULL) != SIG)
			die("sigwaitinfo");
	timer_settime(timer, 0, &never, NULL);
	ticks += sigtimedwait(set, NULL, &none) == SIG; /* one more may have come meanwhile */
	say("ticks=%ld", ticks);
	_exit(0);
}

int main(int argc, char **argv)
{
	long sent = 0;
	siginfo_t info = { .si_signo = SIG, .si_code = SI_QUEUE };
	sigset_t set;

	if (argc != 3)
		usage("ticks kill|rt_sigqueueinfo N");
	int is_kill = !strcmp(argv[1], "kill");

	default_signals();
	signal(SIG, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIG);
	pin();
	say("pid=%d", getpid());
	pid_t self = getpid(), timed = fork();

	if (timed == 0) {
		signal(SIG, SIG_DFL);
		sigprocmask(SIG_BLOCK, &set, NULL);
		be_timed(atol(argv[2]), &set);
	}
	say("timer=%d", timed);
	info.si_pid = self;
	do {
		if (is_kill ? syscall(SYS_kill, self, SIG) : syscall(SYS_rt_sigqueueinfo, self, SIG, &info))
			die("send");
	} while (++sent % 100 || waitpid(timed, NULL, WNOHANG) == 0);
	say("sent=%ld", sent);
}
