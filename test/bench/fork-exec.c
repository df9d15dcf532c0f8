/* SPDX-License-Identifier: MIT */
/* N programs, by two workers at once: fork, exec of this file with the number as an argument, exit, wait. */
#include "bench.h"

#define WORKERS 2

static void work(const char *file, long from, long to)
{
	char number[32];
	char *args[] = { (char *)file, "child", number, NULL };

	for (long i = from; i < to; i++) {
		snprintf(number, sizeof(number), "%ld", i);
		pid_t pid = vfork();

		if (pid < 0)
			die("vfork");
		if (pid == 0) {
			execv(file, args);
			_exit(127);
		}
		if (wait_for(pid) != 0)
			_exit(2);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	pid_t workers[WORKERS];

	if (argc == 3 && strcmp(argv[1], "child") == 0)
		return 0;
	if (argc != 2)
		usage("fork-exec N");
	long ops = atol(argv[1]);
	long long from = now_ns();

	for (int i = 0; i < WORKERS; i++) {
		workers[i] = fork();
		if (workers[i] < 0)
			die("fork");
		if (workers[i] == 0)
			work("/proc/self/exe", ops * i / WORKERS, ops * (i + 1) / WORKERS);
	}
	for (int i = 0; i < WORKERS; i++)
		if (wait_for(workers[i]) != 0)
			die("worker");
	done(ops, from);
}
