/* SPDX-License-Identifier: MIT */
/* N processes that sleep until this one gets a SIGTERM: a machine on which much runs. */
#include "bench.h"

int main(int argc, char **argv)
{
	sigset_t ends;
	int sig;

	if (argc != 2)
		usage("crowd N");
	int count = atoi(argv[1]);
	pid_t *children = calloc(count, sizeof(*children));

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	for (int i = 0; i < count; i++) {
		children[i] = fork();
		if (children[i] < 0)
			die("fork");
		if (children[i] == 0)
			for (;;)
				pause();
	}
	say("ready=1");
	sigwait(&ends, &sig);
	for (int i = 0; i < count; i++) {
		kill(children[i], SIGKILL);
		wait_for(children[i]);
	}
}
