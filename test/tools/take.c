/* SPDX-License-Identifier: MIT */
/*
 * Sends itself SIGUSR1 N times by kill(2), and takes it
 *   handle    by a handler, each at once
 *   ignore    not at all
 *   release   by a handler, each only when it is unblocked
 *   pending   by a handler, once: all N come while it is blocked
 *   wait      by sigwaitinfo(2)
 *   fall      N children send it to themselves while they block it, and die when they let it in
 * Prints pid, ran (how often the handler ran), and of `fall` child=PID for each child.
 */
#include "tool.h"

#define SIG SIGUSR1

static volatile sig_atomic_t ran;

static void on_signal(int sig)
{
	(void)sig;
	ran++;
}

static void send(void)
{
	if (kill(getpid(), SIG))
		die("kill");
}

static void fall(const sigset_t *set)
{
	pid_t child = fork();

	if (child == 0) {
		sigprocmask(SIG_BLOCK, set, NULL);
		send();
		usleep(2000);
		sigprocmask(SIG_UNBLOCK, set, NULL);
		_exit(3);
	}
	if (wait_for(child) != SIG)
		usage("take fall: the child outlived its signal");
	say("child=%d", child);
}

int main(int argc, char **argv)
{
	const char *how = argc == 3 ? argv[1] : "";
	struct sigaction handle = { .sa_handler = on_signal };
	int count = argc == 3 ? atoi(argv[2]) : 0;
	sigset_t set;

	if (count < 1)
		usage("take handle|ignore|release|pending|wait|fall N");
	default_signals();
	sigemptyset(&set);
	sigaddset(&set, SIG);
	say("pid=%d", getpid());
	if (!strcmp(how, "ignore"))
		signal(SIG, SIG_IGN);
	else if (strcmp(how, "fall") && strcmp(how, "wait"))
		sigaction(SIG, &handle, NULL);
	if (!strcmp(how, "pending") || !strcmp(how, "wait"))
		sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < count; i++) {
		if (!strcmp(how, "fall")) {
			fall(&set);
			continue;
		}
		if (!strcmp(how, "release"))
			sigprocmask(SIG_BLOCK, &set, NULL);
		send();
		if (!strcmp(how, "release"))
			sigprocmask(SIG_UNBLOCK, &set, NULL);
		if (!strcmp(how, "wait") && sigwaitinfo(&set, NULL) != SIG)
			die("sigwaitinfo");
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	say("ran=%d", (int)ran);
}
