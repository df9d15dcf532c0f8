/* SPDX-License-Identifier: MIT */
/*
 * kill(2) by the 32-bit table, N times: int 0x80, which a 64-bit program may use too. There kill is 37, the number of
 * alarm(2) in the 64-bit table, and its arguments are in other registers.
 */
#include "tool.h"

int main(int argc, char **argv)
{
	if (argc != 4)
		usage("send32 SIG PID|self COUNT");

	int sig = atoi(argv[1]), count = atoi(argv[3]);
	pid_t pid = strcmp(argv[2], "self") ? atoi(argv[2]) : getpid();
	int ok = 0, refused = 0;

	say("pid=%d", getpid());
#if defined(__x86_64__)
	for (int i = 0; i < count; i++) {
		long result;

		asm volatile("int $0x80" : "=a"(result) : "a"(37), "b"(pid), "c"(sig), "D"(-1), "S"(-1) : "memory", "r8", "r9", "r10", "r11");
		if ((int)result == 0)
			ok++;
		else if ((int)result == -ESRCH)
			refused++;
		else
			die("int 0x80");
	}
#endif
	say("ok=%d", ok);
	say("ESRCH=%d", refused);
}
