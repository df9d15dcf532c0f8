/* SPDX-License-Identifier: MIT */
/*
 * Takes memory, a MiB at a time, until the kernel kills it; never more than MIB. Prints pid, and survived=MIB if it lives.
 * With `hold` it offers itself to the kernel as the first to be killed, and waits; with `shared` the memory is shared.
 */
#include "tool.h"
#include <fcntl.h>
#include <sys/mman.h>

static void be_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd < 0 || write(fd, "1000", 4) != 4 || close(fd))
		die("oom_score_adj");
}

int main(int argc, char **argv)
{
	if (argc != 2 && argc != 3)
		usage("oom MIB [hold|shared]");
	int mib = atoi(argv[1]), hold = argc == 3 && !strcmp(argv[2], "hold");
	int sharing = argc == 3 && !strcmp(argv[2], "shared") ? MAP_SHARED : MAP_PRIVATE;

	default_signals();
	if (hold)
		be_first();
	say("pid=%d", getpid());
	for (int i = 0; i < mib; i++) {
		char *page = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED)
			die("mmap");
		memset(page, i + 1, 1 << 20);
	}
	say("survived=%d", mib);
	while (hold)
		pause();
}
