/* SPDX-License-Identifier: MIT */
/*
 * One kill(2) to many: to the caller's own group (`group`, which the caller is in and survives), or to everyone in a
 * pid namespace of its own (`all`, by its init). Four children wait, which do by default, handle, ignore and block SIG.
 * Prints pid, sender, and default, handle, ignore, block: the children's pids, with `all` those that they have inside.
 */
#include "tool.h"
#include <sched.h>

static const char *const hows[] = { "default", "handle", "ignore", "block" };

static void on_signal(int sig)
{
	(void)sig;
}

static _Noreturn void wait_as(int how, int sig, int ready)
{
	struct sigaction handle = { .sa_handler = on_signal };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	signal(sig, how == 2 ? SIG_IGN : SIG_DFL);
	if (how == 1)
		sigaction(sig, &handle, NULL);
	if (how == 3)
		sigprocmask(SIG_BLOCK, &set, NULL);
	if (write(ready, "", 1) != 1)
		die("write");
	for (;;)
		pause();
}

static _Noreturn void send_to_all(pid_t to, int sig)
{
	pid_t pids[4];
	int ready[2];
	char byte;

	if (pipe(ready))
		die("pipe");
	for (int how = 0; how < 4; how++) {
		pids[how] = fork();
		if (pids[how] == 0)
			wait_as(how, sig, ready[1]);
		if (read(ready[0], &byte, 1) != 1)
			die("read");
		say("%s=%d", hows[how], pids[how]);
	}
	signal(sig, SIG_IGN);
	if (kill(to, sig))
		die("kill");
	wait_for(pids[0]);
	for (int how = 1; how < 4; how++) {
		kill(pids[how], SIGKILL);
		wait_for(pids[how]);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	int all = argc > 1 && !strcmp(argv[1], "all");

	if (argc != 3 || (!all && strcmp(argv[1], "group")))
		usage("everyone group|all SIG");
	default_signals();
	say("pid=%d", getpid());
	if (all && unshare(CLONE_NEWPID))
		die("unshare");
	pid_t sender = fork();

	if (sender == 0) {
		setpgid(0, 0);
		if (all && getpid() != 1) /* kill(-1) anywhere else would be the end of the machine */
			_exit(2);
		send_to_all(all ? -1 : 0, atoi(argv[2]));
	}
	say("sender=%d", sender);
	return wait_for(sender) != 0;
}
