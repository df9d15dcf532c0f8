/* SPDX-License-Identifier: MIT */
/*
 * Executions that fail, COUNT (1) times each, by execve and by execveat: no such file, a file without the x bit, and an
 * executable file that is no program. Prints pid, and the counts: execve_ENOENT=1 and so on.
 */
#include "tool.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

static char *args[] = { "failexec", "one", "two words", NULL };
static char *environment[] = { NULL };

static void attempt(const char *path, int fd, int flags, int count)
{
	int by_path = 0, by_fd = 0, path_errno = 0, fd_errno = 0;

	for (int i = 0; i < count; i++) {
		by_path += execve(path, args, environment) == -1;
		path_errno = errno;
		by_fd += (int)syscall(SYS_execveat, fd, flags ? "" : path, args, environment, flags) == -1;
		fd_errno = errno;
	}
	say("execve_%s=%d", strerrorname_np(path_errno), by_path);
	say("execveat_%s=%d", strerrorname_np(fd_errno), by_fd);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 1;
	int garbage = memfd_create("garbage", 0);
	char path[64];

	if (garbage < 0 || write(garbage, "garbage\n", 8) != 8 || fchmod(garbage, 0755))
		die("memfd");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", garbage);
	say("pid=%d", getpid());
	attempt("/nonexistent/program", AT_FDCWD, 0, count);
	attempt("/etc/passwd", AT_FDCWD, 0, count);
	attempt(path, garbage, AT_EMPTY_PATH, count);
}
