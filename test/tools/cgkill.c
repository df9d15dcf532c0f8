/* SPDX-License-Identifier: MIT */
/* Kills every process of a cgroup by writing 1 to its cgroup.kill; must not be in there itself. Prints pid and ok=1. */
#include "tool.h"
#include <fcntl.h>

int main(int argc, char **argv)
{
	char path[4096];

	if (argc != 2)
		usage("cgkill DIR");
	snprintf(path, sizeof(path), "%s/cgroup.kill", argv[1]);
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		die(path);
	say("pid=%d", getpid());
	if (write(fd, "1", 1) != 1)
		die(path);
	say("ok=1");
}
