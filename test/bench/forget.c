/* SPDX-License-Identifier: MIT */
/* Has the kernel forget the pages of these files, so that the next reader finds them cold. */
#include "../tools/tool.h"
#include <fcntl.h>

int main(int argc, char **argv)
{
	if (argc < 2)
		usage("forget FILE…");
	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY);

		if (fd < 0)
			die(argv[i]);
		fdatasync(fd); /* a dirty page is not dropped */
		errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		if (errno != 0)
			die(argv[i]);
		close(fd);
	}
}
