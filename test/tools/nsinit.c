/* SPDX-License-Identifier: MIT */
/*
 * A pid namespace ends with its init, which takes all others in there with it. Its children have the pids 2 to N + 1
 * inside. The init exits with 3, or is killed by this program with `killed`. Prints pid, init, and its wait status (end).
 */
#include "tool.h"
#include <sched.h>

int main(int argc, char **argv)
{
	int ready[2], go[2], count = argc > 1 ? atoi(argv[1]) : 3;
	char byte;
	pid_t init;

	if (pipe(ready) || pipe(go) || unshare(CLONE_NEWPID))
		die("unshare");
	init = fork();
	if (init == 0) {
		for (int i = 0; i < count; i++)
			if (fork() == 0) {
				if (write(ready[1], "", 1) != 1)
					die("write");
				for (;;)
					pause();
			}
		if (read(go[0], &byte, 1) != 1)
			die("read");
		_exit(3);
	}
	for (int i = 0; i < count; i++)
		if (read(ready[0], &byte, 1) != 1)
			die("read");
	say("pid=%d", getpid());
	say("init=%d", init);
	if (argc > 2 && !strcmp(argv[2], "killed"))
		kill(init, SIGKILL);
	else if (write(go[1], "", 1) != 1)
		die("write");
	say("end=%d", wait_for(init));
}
