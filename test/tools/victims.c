/* SPDX-License-Identifier: MIT */
/*
 * N children that wait in one new process group, with the default action for every signal, or with SIG handled, ignored
 * or blocked. Prints pgid and pids once all are ready, end=PID:STATUS (raw, as of wait) for each, and ends with the last.
 * They wait on a pipe, so they end by themselves when this program is killed.
 */
#include "tool.h"

static void on_signal(int sig)
{
	(void)sig;
}

static void child(pid_t pgid, const char *how, int sig, int ready, int gone)
{
	struct sigaction handle = { .sa_handler = on_signal };
	sigset_t set;
	char byte;

	setpgid(0, pgid);
	if (!strcmp(how, "handle"))
		sigaction(sig, &handle, NULL);
	else if (!strcmp(how, "ignore"))
		signal(sig, SIG_IGN);
	sigemptyset(&set);
	if (!strcmp(how, "block") && sigaddset(&set, sig) == 0)
		sigprocmask(SIG_BLOCK, &set, NULL);
	if (write(ready, "", 1) != 1)
		die("write");
	while (read(gone, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

int main(int argc, char **argv)
{
	int ready[2], gone[2], status;
	pid_t pgid = 0, pid;
	char byte;

	if (argc != 2 && argc != 4)
		usage("victims N [handle|ignore|block SIG]");
	int count = atoi(argv[1]);
	pid_t pids[count];

	default_signals();
	if (pipe(ready) || pipe(gone))
		die("pipe");
	for (int i = 0; i < count; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork");
		if (pids[i] == 0) {
			close(gone[1]);
			child(pgid, argc == 4 ? argv[2] : "", argc == 4 ? atoi(argv[3]) : 0, ready[1], gone[0]);
		}
		pgid = pgid ? pgid : pids[0];
		setpgid(pids[i], pgid);
	}
	for (int i = 0; i < count; i++)
		if (read(ready[0], &byte, 1) != 1)
			die("read");
	say("pid=%d", getpid());
	say("pgid=%d", pgid);
	for (int i = 0; i < count; i++)
		printf("%s%d", i ? "," : "pids=", pids[i]);
	say("%s", "");
	while ((pid = wait(&status)) > 0)
		say("end=%d:%d", pid, status);
}
