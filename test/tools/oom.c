/* SPDX-License-Identifier: MIT */
/* Takes memory, a MiB at a time, until the kernel kills it; never more than MIB. Prints pid, and survived=MIB if it lives. */
#include "tool.h"
#include <sys/mman.h>

int main(int argc, char **argv)
{
	if (argc != 2)
		usage("oom MIB");
	int mib = atoi(argv[1]);

	say("pid=%d", getpid());
	for (int i = 0; i < mib; i++) {
		char *page = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED)
			die("mmap");
		memset(page, i + 1, 1 << 20);
	}
	say("survived=%d", mib);
}
