/* SPDX-License-Identifier: MIT */
/* Dies of a timer: alarm(2), one of setitimer(2), or one of timer_create(2) with the signal SIG (15). Prints its pid first. */
#include "tool.h"
#include <sys/time.h>
#include <time.h>

int main(int argc, char **argv)
{
	const char *of = argc > 1 ? argv[1] : "";
	struct itimerval soon = { .it_value = { .tv_usec = 50000 } };
	struct itimerspec posix_soon = { .it_value = { .tv_nsec = 50000000 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = argc > 2 ? atoi(argv[2]) : SIGTERM };
	timer_t timer;

	default_signals();
	say("pid=%d", getpid());
	if (!strcmp(of, "alarm"))
		alarm(1);
	else if (!strcmp(of, "real"))
		setitimer(ITIMER_REAL, &soon, NULL);
	else if (!strcmp(of, "virtual"))
		setitimer(ITIMER_VIRTUAL, &soon, NULL);
	else if (!strcmp(of, "prof"))
		setitimer(ITIMER_PROF, &soon, NULL);
	else if (!strcmp(of, "posix")) {
		if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &posix_soon, NULL))
			die("timer");
	} else
		usage("timer alarm|real|virtual|prof|posix [SIG]");
	for (;;) /* two of them count only the time that it runs */
		;
}
