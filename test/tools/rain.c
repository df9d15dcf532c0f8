/* SPDX-License-Identifier: MIT */
/*
 * Everything at once and nothing twice, for SECONDS: programs with arguments of their own, forks, refused calls of ever
 * other pids, signals to a child that handles them, children killed. Prints pid, then execs, forks, attempts, signals, kills.
 */
#include "tool.h"
#include <spawn.h>
#include <time.h>

#define NOBODY 5000000 /* beyond every pid */

static void on_signal(int sig)
{
	(void)sig;
}

static pid_t child(int handled)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		if (handled)
			signal(handled, on_signal);
		for (;;)
			pause();
	}
	return pid;
}

static void run(long number)
{
	static const char *words[] = { "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta" };
	char id[32], path[128], text[256];
	char *args[] = { "true", id, path, text, NULL };
	pid_t pid;

	snprintf(id, sizeof(id), "--number=%ld", number);
	snprintf(path, sizeof(path), "/var/tmp/%s/%s/%lx", words[number % 7], words[number / 7 % 7], number * 2654435761L);
	snprintf(text, sizeof(text), "%0*ld %s", (int)(number % 97) + 20, number, words[number % 5]);
	if (posix_spawn(&pid, "/bin/true", NULL, NULL, args, NULL) == 0)
		wait_for(pid);
}

int main(int argc, char **argv)
{
	long execs = 0, forks = 0, attempts = 0, signals = 0, kills = 0;

	if (argc != 2)
		usage("rain SECONDS");
	default_signals();
	say("pid=%d", getpid());
	pid_t handler = child(SIGUSR1);
	time_t end = time(NULL) + atoi(argv[1]);

	while (time(NULL) < end) {
		run(execs++);
		pid_t pid = child(0);

		kill(pid, SIGKILL);
		kills++;
		wait_for(pid);
		forks++;
		for (int i = 0; i < 100; i++)
			syscall(SYS_kill, NOBODY + attempts++, SIGTERM);
		for (int i = 0; i < 20; i++, signals++)
			kill(handler, SIGUSR1);
	}
	kill(handler, SIGKILL);
	wait_for(handler);
	say("execs=%ld", execs);
	say("forks=%ld", forks + 1);
	say("attempts=%ld", attempts);
	say("signals=%ld", signals);
	say("kills=%ld", kills + 1);
}
