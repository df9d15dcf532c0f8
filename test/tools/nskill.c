/* SPDX-License-Identifier: MIT */
/*
 * A kill inside a pid namespace: its init forks a victim and kills it by the pid that it has in there. Prints the pids
 * of both as they are outside (init, victim), the victim's inside (inner), and the wait status that init saw (status).
 */
#include "tool.h"
#include <sched.h>
#include <sys/socket.h>

/* The next byte from `fd`, and the pid of its writer as this process knows it. */
static pid_t writer(int fd, unsigned char *byte)
{
	union { struct cmsghdr header; char room[CMSG_SPACE(sizeof(struct ucred))]; } control;
	struct iovec io = { byte, 1 };
	struct msghdr message = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct ucred from;

	if (recvmsg(fd, &message, 0) != 1 || CMSG_FIRSTHDR(&message) == NULL)
		die("recvmsg");
	memcpy(&from, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(from));
	return from.pid;
}

static void tell(int fd, unsigned char byte)
{
	if (write(fd, &byte, 1) != 1)
		die("write");
}

int main(void)
{
	int ends[2], on = 1;
	unsigned char byte;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) || setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)))
		die("socketpair");
	if (unshare(CLONE_NEWPID))
		die("unshare");
	pid_t init = fork();

	if (init == 0) {
		close(ends[0]);
		pid_t victim = fork();

		if (victim == 0) {
			tell(ends[1], (unsigned char)getpid());
			pause();
		}
		if (read(ends[1], &byte, 1) != 1) /* the outside has said who is who */
			die("read");
		kill(victim, SIGKILL);
		_exit(wait_for(victim)); /* 9: killed, and no core */
	}
	say("pid=%d", getpid());
	say("init=%d", init);
	say("victim=%d", writer(ends[0], &byte));
	say("inner=%d", byte);
	tell(ends[0], 0);
	say("status=%d", WEXITSTATUS(wait_for(init)));
}
