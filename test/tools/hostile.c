/* SPDX-License-Identifier: MIT */
/*
 * What an attacker would like an administrator's terminal to print. Prints pid, then
 *   comm [SIG PID]  takes a name of escapes and a newline, and sends a signal under it
 *   args [PATH]     execs (/bin/true) with arguments of escapes, newline, invalid UTF-8, nothing, right-to-left override
 *   file DIR        execs /bin/true by a name of escapes and a newline, which it makes in DIR and removes again
 */
#include "tool.h"
#include <sys/prctl.h>

#define NAME "\033[31mE\nv\xff"

int main(int argc, char **argv)
{
	char *path = argc > 2 ? argv[2] : "/bin/true", link[4096];
	char *args[] = { path, "\033]0;owned\007", "two\nlines", "\xff\xfe\xc3(", "", "\xe2\x80\xae" "txt.exe", "\r\t\x7f", NULL };

	if (argc < 2)
		usage("hostile comm [SIG PID]|args [PATH]|file DIR");
	say("pid=%d", getpid());
	if (!strcmp(argv[1], "comm")) {
		prctl(PR_SET_NAME, NAME);
		if (argc > 3 && kill(atoi(argv[3]), atoi(argv[2])))
			die("kill");
		return 0;
	}
	if (!strcmp(argv[1], "args")) {
		prctl(PR_SET_NAME, NAME);
		execv(path, args);
		die(path);
	}
	snprintf(link, sizeof(link), "%s/%s", path, NAME);
	if (symlink("/bin/true", link))
		die("symlink");
	pid_t child = fork();

	if (child == 0) {
		execl(link, link, NULL);
		_exit(127);
	}
	say("child=%d", child);
	say("end=%d", wait_for(child));
	unlink(link);
}
