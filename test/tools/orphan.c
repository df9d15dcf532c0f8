/* SPDX-License-Identifier: MIT */
/*
 * N processes one after the other that lose their parent and are taken in: by this program, which asked for that
 * (PR_SET_CHILD_SUBREAPER), or with `init` by whoever takes orphans in here. Prints pid, and for each parent=PID, child=PID
 * and reaper=PID (its parent when it ended).
 */
#include "tool.h"
#include <sys/prctl.h>

int main(int argc, char **argv)
{
	if (argc < 2)
		usage("orphan N [init]");
	if (argc == 2 && prctl(PR_SET_CHILD_SUBREAPER, 1))
		die("prctl");
	say("pid=%d", getpid());
	for (int i = 0; i < atoi(argv[1]); i++) {
		int told[2];
		char byte;
		pid_t parent;

		if (pipe(told))
			die("pipe");
		parent = fork();
		if (parent == 0) {
			pid_t middle = getpid();

			say("parent=%d", middle);
			if (fork())
				_exit(0);
			while (getppid() == middle)
				usleep(500);
			say("child=%d", getpid());
			say("reaper=%d", getppid());
			_exit(0);
		}
		wait_for(parent);
		close(told[1]);
		if (read(told[0], &byte, 1) != 0) /* the end of the child closes the last copy */
			die("read");
		close(told[0]);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}
