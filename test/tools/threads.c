/* SPDX-License-Identifier: MIT */
/*
 * Ends, or becomes another program, by way of threads. Prints pid, and tid of the second thread; then
 *   leader-exits   the first thread is gone when the other calls exit_group(7): wait sees 7
 *   last-exit      the first thread ends with exit(5), the other with exit(7), neither by exit_group:
 *                  wait sees 7 (Linux 6.18), on older kernels 5
 *   at-once        the same, but neither waits for the other
 *   two-groups     both call exit_group, with 5 and with 7: wait sees whichever came first
 *   exit-group     the second thread calls exit_group(9) while the first waits: wait sees 9
 *   exec [CMD…]    the second thread execs (/bin/true): the program goes on under the first one's tid
 *   tgkill [SIG]   the first thread sends the second a lethal signal (15), which ends the process
 *   kill SIG PID   the second thread sends a signal to another process
 *   wait           both wait
 */
#include "tool.h"
#include <pthread.h>

static char **words;
static volatile pid_t second;

static void *other(void *arg)
{
	static char *nothing[] = { "/bin/true", NULL };

	second = (pid_t)syscall(SYS_gettid);
	say("tid=%d", second);
	if (!strcmp(words[1], "tgkill") || !strcmp(words[1], "wait"))
		for (;;)
			pause();
	if (!strcmp(words[1], "kill")) {
		if (kill(atoi(words[3]), atoi(words[2])))
			die("kill");
		_exit(0);
	}
	if (!strcmp(words[1], "at-once"))
		syscall(SYS_exit, 7);
	if (!strcmp(words[1], "two-groups"))
		syscall(SYS_exit_group, 7);
	usleep(20000); /* let the first thread be gone, or wait */
	if (!strcmp(words[1], "leader-exits"))
		syscall(SYS_exit_group, 7);
	if (!strcmp(words[1], "last-exit"))
		syscall(SYS_exit, 7);
	if (!strcmp(words[1], "exit-group"))
		syscall(SYS_exit_group, 9);
	if (!strcmp(words[1], "exec")) {
		char **command = words[2] ? words + 2 : nothing;

		execvp(command[0], command);
		die(command[0]);
	}
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc < 2 || (!strcmp(argv[1], "kill") && argc != 4))
		usage("threads leader-exits|last-exit|at-once|two-groups|exit-group|exec [CMD…]|tgkill [SIG]|kill SIG PID|wait");
	words = argv;
	default_signals();
	say("pid=%d", getpid());
	if (pthread_create(&thread, NULL, other, NULL))
		die("pthread_create");
	if (!strcmp(argv[1], "leader-exits"))
		syscall(SYS_exit, 0);
	if (!strcmp(argv[1], "last-exit") || !strcmp(argv[1], "at-once"))
		syscall(SYS_exit, 5);
	if (!strcmp(argv[1], "two-groups"))
		syscall(SYS_exit_group, 5);
	while (!second)
		usleep(1000);
	if (!strcmp(argv[1], "tgkill"))
		syscall(SYS_tgkill, getpid(), second, argc > 2 ? atoi(argv[2]) : SIGTERM);
	pthread_join(thread, NULL);
	usage("threads …: it did not end as told");
}
