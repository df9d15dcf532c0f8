/* SPDX-License-Identifier: MIT */
/*
 * Signals that a terminal sends, to a child that is the leader of its session. Prints pid, leader, and the leader's wait
 * status (end) of
 *   interrupt  ^C, typed on the other side
 *   hangup     the other side is closed
 *   leader     the leader exits, which hangs up its group: prints member, and its wait status as end
 *   killed     the same, but this program kills the leader
 *   emulator   this program kills the process that has the other side, which closes it: prints emulator
 */
#include "tool.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <termios.h>

static void ready(int fd)
{
	pid_t self = getpid();

	if (write(fd, &self, sizeof(self)) != sizeof(self))
		die("write");
}

static _Noreturn void wait_forever(void)
{
	for (;;)
		pause();
}

static _Noreturn void lead(const char *terminal, int fd, int with_member, int exits)
{
	struct termios attributes;
	int tty;

	setsid();
	tty = open(terminal, O_RDWR); /* a session leader's first terminal is the one that controls it */
	if (tty < 0 || tcgetattr(tty, &attributes) || !(attributes.c_lflag & ISIG))
		die(terminal);
	if (with_member && fork() > 0) {
		usleep(50000); /* let the member be ready */
		if (exits)
			_exit(0);
		wait_forever();
	}
	ready(fd);
	wait_forever();
}

int main(int argc, char **argv)
{
	const char *how = argc == 2 ? argv[1] : "";
	int killed = !strcmp(how, "killed"), by_leader = killed || !strcmp(how, "leader");
	int fds[2], master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char terminal[64];
	pid_t emulator = 0, leader, waiting;

	default_signals();
	if (master < 0 || grantpt(master) || unlockpt(master) || ptsname_r(master, terminal, sizeof(terminal)))
		die("pty");
	if (pipe(fds) || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		die("pipe or prctl");
	if (!strcmp(how, "emulator")) {
		emulator = fork();
		if (emulator > 0)
			close(master);
	}
	leader = emulator > 0 ? 0 : fork();
	if (leader == 0 && emulator == 0) {
		close(master);
		lead(terminal, fds[1], by_leader, !killed);
	}
	if (!strcmp(how, "emulator") && emulator == 0)
		wait_forever();
	if (read(fds[0], &waiting, sizeof(waiting)) != sizeof(waiting))
		die("read");
	say("pid=%d", getpid());
	say("leader=%d", by_leader ? leader : waiting);
	if (by_leader) {
		say("member=%d", waiting);
		if (killed)
			kill(leader, SIGKILL);
		wait_for(leader);
	} else if (emulator > 0) {
		say("emulator=%d", emulator);
		kill(emulator, SIGKILL);
		wait_for(emulator);
	} else if (!strcmp(how, "interrupt")) {
		if (write(master, "\003", 1) != 1)
			die("write");
	} else if (!strcmp(how, "hangup")) {
		close(master);
	} else {
		kill(leader, SIGKILL);
		usage("pty interrupt|hangup|leader|killed|emulator");
	}
	say("end=%d", wait_for(waiting));
}
