/* SPDX-License-Identifier: MIT */
/*
 * Sends a signal by exactly the system call named, COUNT times, and counts the outcomes: ok=N and one ERRNO=N for each.
 * TARGET is a pid, `self`, TGID:TID, or what kill(2) takes: 0, -PGID, and -1, which needs signal 0 or the variable
 * SEND_TO_ALL (for a test that made a pid namespace). pidfd_send_signal gets -PGID with PIDFD_SIGNAL_PROCESS_GROUP, and
 * for a pid that nobody has, the pidfd of a child that is gone.
 */
#include "tool.h"

static int pidfd;

static int open_pidfd(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0 && errno == ESRCH) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		fd = (int)syscall(SYS_pidfd_open, child, 0);
		wait_for(child);
	}
	return fd;
}

static long send_one(const char *by, int sig, pid_t pid, pid_t tid)
{
	siginfo_t info = { .si_signo = sig, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_uid = getuid();
	if (!strcmp(by, "kill"))
		return syscall(SYS_kill, pid, sig);
	if (!strcmp(by, "tkill"))
		return syscall(SYS_tkill, tid, sig);
	if (!strcmp(by, "tgkill"))
		return syscall(SYS_tgkill, pid, tid, sig);
	if (!strcmp(by, "rt_sigqueueinfo"))
		return syscall(SYS_rt_sigqueueinfo, pid, sig, &info);
	if (!strcmp(by, "rt_tgsigqueueinfo"))
		return syscall(SYS_rt_tgsigqueueinfo, pid, tid, sig, &info);
	if (strcmp(by, "pidfd_send_signal"))
		usage("send SYSCALL SIG TARGET [COUNT]");
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, pid < 0 ? 4 : 0);
}

int main(int argc, char **argv)
{
	static long failed[4096];
	long ok = 0, count;
	char *colon;

	if (argc < 4)
		usage("send SYSCALL SIG TARGET [COUNT]");
	int self = !strcmp(argv[3], "self"), sig = atoi(argv[2]);
	pid_t pid = self ? getpid() : (pid_t)strtol(argv[3], &colon, 10);
	pid_t tid = !self && *colon == ':' ? atoi(colon + 1) : pid;

	count = argc > 4 ? atol(argv[4]) : 1;
	if (pid == -1 && sig != 0 && !getenv("SEND_TO_ALL"))
		usage("send … -1 needs signal 0, or SEND_TO_ALL in a pid namespace of its own");
	if (!strcmp(argv[1], "pidfd_send_signal"))
		pidfd = open_pidfd(pid < 0 ? -pid : pid);
	say("pid=%d", getpid());
	for (long i = 0; i < count; i++)
		if (send_one(argv[1], sig, pid, tid) == 0)
			ok++;
		else
			failed[errno]++;
	say("ok=%ld", ok);
	for (int error = 0; error < 4096; error++)
		if (failed[error])
			say("%s=%ld", strerrorname_np(error), failed[error]);
}
