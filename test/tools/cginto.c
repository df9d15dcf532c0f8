/* SPDX-License-Identifier: MIT */
/* Moves itself into a cgroup and becomes the command, so that the command was never anywhere else. Prints nothing. */
#include "tool.h"
#include <fcntl.h>

int main(int argc, char **argv)
{
	char path[4096];

	if (argc < 3)
		usage("cginto DIR CMD…");
	snprintf(path, sizeof(path), "%s/cgroup.procs", argv[1]);
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		die(path);
	execvp(argv[2], argv + 2);
	die(argv[2]);
}
