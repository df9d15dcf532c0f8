/* SPDX-License-Identifier: MIT */
/* Dies, really, of the named thing: none of these is a kill(2) in disguise. Leaves no core. Prints its pid first. */
#include "tool.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

#ifdef __x86_64__
#define ILLEGAL "ud2"
#define BREAKPOINT "int3"
#define DIVIDE "xor %%eax, %%eax; cdq; idiv %%eax" ::: "eax", "edx", "cc"
#else /* an arm64 processor does not trap on a division by zero: fpe ends like an unknown word */
#define ILLEGAL ".inst 0"
#define BREAKPOINT "brk #0"
#endif

static void limit(int what, rlim_t soft, rlim_t hard)
{
	struct rlimit rlimit = { soft, hard };

	if (setrlimit(what, &rlimit))
		die("setrlimit");
}

static void forbid_getppid(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp");
}

int main(int argc, char **argv)
{
	const char *of = argc > 1 ? argv[1] : "";
	struct itimerval soon = { .it_value = { .tv_usec = 50000 } };
	int memfd = memfd_create("crash", 0), ends[2];

	default_signals();
	limit(RLIMIT_CORE, 0, 0);
	say("pid=%d", getpid());
	if (!strcmp(of, "segv"))
		*(volatile int *)8 = 1; /* the first page is never mapped; gcc makes a trap of a store to 0 */
	else if (!strcmp(of, "bus")) /* a mapping past the end of its file */
		*(volatile char *)mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, memfd, 0) = 1;
#ifdef DIVIDE
	else if (!strcmp(of, "fpe"))
		__asm__ volatile(DIVIDE);
#endif
	else if (!strcmp(of, "ill"))
		__asm__ volatile(ILLEGAL);
	else if (!strcmp(of, "trap"))
		__asm__ volatile(BREAKPOINT);
	else if (!strcmp(of, "abort"))
		abort();
	else if (!strcmp(of, "pipe")) {
		if (pipe(ends) || close(ends[0]) || write(ends[1], "x", 1) != 1)
			die("pipe");
	} else if (!strcmp(of, "alarm")) {
		setitimer(ITIMER_REAL, &soon, NULL);
		pause();
	} else if (!strcmp(of, "xcpu")) {
		limit(RLIMIT_CPU, 1, 5);
		for (;;)
			;
	} else if (!strcmp(of, "cpu")) { /* soft and hard limit at once: the hard one speaks first */
		limit(RLIMIT_CPU, 1, 1);
		for (;;)
			;
	} else if (!strcmp(of, "xfsz")) {
		limit(RLIMIT_FSIZE, 0, 0);
		if (write(memfd, "x", 1) != 1)
			die("write");
	} else if (!strcmp(of, "sys")) {
		forbid_getppid();
		syscall(SYS_getppid);
	}
	usage("crash segv|bus|fpe|ill|trap|abort|pipe|alarm|xcpu|cpu|xfsz|sys"); /* or it did not die of it */
}
