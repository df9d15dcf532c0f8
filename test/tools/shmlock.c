/* SPDX-License-Identifier: MIT */
/* Holds the lock of an SQLite reader on byte BYTE of FILE, which it opened only for reading, until it is killed. Prints held=1. */
#include "tool.h"
#include <fcntl.h>

int main(int argc, char **argv)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1 };
	int fd;

	if (argc != 3)
		usage("shmlock FILE BYTE");
	lock.l_start = atol(argv[2]);
	default_signals();
	fd = open(argv[1], O_RDONLY);
	if (fd < 0)
		die("open");
	if (fcntl(fd, F_SETLKW, &lock) < 0)
		die("fcntl");
	say("held=1");
	for (;;)
		pause();
}
