/* SPDX-License-Identifier: MIT */
/*
 * A child that asked for SIG (9) when its parent dies, and a parent that exits, or that is killed by this program
 * with `killed`. With `thread` only the thread that forked the child ends, and its process half a second after that child.
 * Prints parent, child, and the child's wait status (end).
 */
#include "tool.h"
#include <pthread.h>
#include <sys/prctl.h>

static int sig, ready[2], go[2];

static void *fork_child(void *arg)
{
	if (fork() == 0) {
		pid_t self = getpid();

		prctl(PR_SET_PDEATHSIG, sig);
		if (write(ready[1], &self, sizeof(self)) != sizeof(self))
			die("write");
		close(go[1]);
		for (;;)
			pause();
	}
	return arg;
}

/* The thread lives until told; so does, after it, the process. */
static void *fork_and_wait(void *arg)
{
	char byte;

	fork_child(arg);
	if (read(go[0], &byte, 1) < 0)
		die("read");
	return arg;
}

int main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "";
	pid_t parent, child;
	pthread_t thread;
	int status = 0;
	char byte;

	sig = argc > 1 ? atoi(argv[1]) : SIGKILL;
	default_signals();
	if (pipe(ready) || pipe(go) || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		die("pipe or prctl");
	parent = fork();
	if (parent == 0) {
		close(go[1]);
		if (!strcmp(how, "thread")) {
			if (pthread_create(&thread, NULL, fork_and_wait, NULL))
				die("pthread_create");
			while (wait(&status) < 0) /* the thread may not have forked yet */
				usleep(1000);
			usleep(500000);
			_exit(status);
		}
		fork_child(NULL);
		if (read(go[0], &byte, 1) < 0)
			die("read");
		_exit(0);
	}
	if (read(ready[0], &child, sizeof(child)) != sizeof(child))
		die("read");
	say("pid=%d", getpid());
	say("parent=%d", parent);
	say("child=%d", child);
	if (!strcmp(how, "killed"))
		kill(parent, SIGKILL);
	else if (write(go[1], "", 1) != 1)
		die("write");
	status = wait_for(parent);
	say("end=%d", !strcmp(how, "thread") ? WEXITSTATUS(status) : wait_for(child));
}
