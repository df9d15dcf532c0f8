/* SPDX-License-Identifier: MIT */
/* N calls that have nothing to do with signals or processes coming and going. */
#include "bench.h"

int main(int argc, char **argv)
{
	if (argc != 2)
		usage("getppid N");
	long ops = atol(argv[1]);
	long long from = now_ns();

	for (long i = 0; i < ops; i++)
		syscall(SYS_getppid);
	done(ops, from);
}
