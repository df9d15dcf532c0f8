/* SPDX-License-Identifier: MIT */
/*
 * A child that asked for SIG (9) when its parent dies, and a parent that exits, or that is killed by this program
 * with `killed`. Prints parent, child, and the child's wait status (end).
 */
#include "tool.h"
#include <sys/prctl.h>

int main(int argc, char **argv)
{
	int sig = argc > 1 ? atoi(argv[1]) : SIGKILL;
	int ready[2], go[2];
	pid_t parent, child;

	default_signals();
	if (pipe(ready) || pipe(go) || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		die("pipe or prctl");
	parent = fork();
	if (parent == 0) {
		char byte;

		if (fork() == 0) {
			pid_t self = getpid();

			prctl(PR_SET_PDEATHSIG, sig);
			if (write(ready[1], &self, sizeof(self)) != sizeof(self))
				die("write");
			close(go[1]);
			pause();
			_exit(0);
		}
		close(go[1]);
		if (read(go[0], &byte, 1) < 0)
			die("read");
		_exit(0);
	}
	if (read(ready[0], &child, sizeof(child)) != sizeof(child))
		die("read");
	say("pid=%d", getpid());
	say("parent=%d", parent);
	say("child=%d", child);
	if (argc > 2 && !strcmp(argv[2], "killed"))
		kill(parent, SIGKILL);
	else if (write(go[1], "", 1) != 1)
		die("write");
	wait_for(parent);
	say("end=%d", wait_for(child));
}
