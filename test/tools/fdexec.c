/* SPDX-License-Identifier: MIT */
/*
 * Becomes a program by a descriptor, execveat(2) with AT_EMPTY_PATH: of a copy in memory (`memfd`), of a file that is
 * deleted meanwhile (`deleted`, PATH is gone then), or of PATH itself (`file`); without any argument at all with `none`.
 */
#include "tool.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

extern char **environ;

static int copy_in_memory(int file)
{
	int memory = memfd_create("payload", 0);
	struct stat stat;

	if (memory < 0 || fstat(file, &stat) || sendfile(memory, file, NULL, stat.st_size) != stat.st_size)
		die("memfd");
	return memory;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		usage("fdexec memfd|deleted|file|none PATH [ARG…]");
	int fd = open(argv[2], O_RDONLY);
	char *nothing[] = { NULL };

	if (fd < 0)
		die(argv[2]);
	if (!strcmp(argv[1], "memfd"))
		fd = copy_in_memory(fd);
	if (!strcmp(argv[1], "deleted") && unlink(argv[2]))
		die("unlink");
	say("pid=%d", getpid());
	say("fd=%d", fd);
	syscall(SYS_execveat, fd, "", strcmp(argv[1], "none") ? argv + 2 : nothing, environ, AT_EMPTY_PATH);
	die("execveat");
}
