/* SPDX-License-Identifier: MIT */
/*
 * System calls: their numbers, which of them mean something to us, and the arguments in saved registers. Numbers are
 * those of the 64-bit table of this architecture, whichever table the caller used.
 */
#ifndef SNOOP_SYSCALL_BPF_H
#define SNOOP_SYSCALL_BPF_H

#include "compat.bpf.h"

#define NO_SYSCALL (-1)

#if defined(__TARGET_ARCH_x86)
#define SYS_write 1
#define SYS_pwrite64 18
#define SYS_writev 20
#define SYS_execve 59
#define SYS_kill 62
#define SYS_tkill 200
#define SYS_exit_group 231
#define SYS_tgkill 234
#define SYS_rt_sigqueueinfo 129
#define SYS_rt_tgsigqueueinfo 297
#define SYS_execveat 322
#define SYS_pidfd_send_signal 424

#define TS_COMPAT 0x0002 /* arch/x86/include/asm/thread_info.h */

/* arch/x86/entry/syscalls/syscall_32.tbl: the calls that mean something to us */
static __always_inline int syscall_of_32bit(int nr)
{
	switch (nr) {
	case 4: return SYS_write;
	case 181: return SYS_pwrite64;
	case 146: return SYS_writev;
	case 11: return SYS_execve;
	case 37: return SYS_kill;
	case 238: return SYS_tkill;
	case 252: return SYS_exit_group;
	case 270: return SYS_tgkill;
	case 178: return SYS_rt_sigqueueinfo;
	case 335: return SYS_rt_tgsigqueueinfo;
	case 358: return SYS_execveat;
	case 424: return SYS_pidfd_send_signal;
	}
	return 10000 + nr; /* some other call of the 32-bit table */
}

static __always_inline bool is_32bit_call(const struct task_struct *task)
{
	return READ(task, thread_info.status) & TS_COMPAT;
}

static __always_inline int syscall_nr(const struct task_struct *task, const struct pt_regs *regs)
{
	int nr = regs->orig_ax;

	return nr >= 0 && is_32bit_call(task) ? syscall_of_32bit(nr) : nr;
}

/* Whether the number, read by either table, may be a call that sends signals or executes: one test for all the others. */
static __always_inline bool syscall_may_matter(const struct pt_regs *regs)
{
	switch ((int)regs->orig_ax) {
	case 59: case 62: case 129: case 200: case 234: case 297: case 322: case 424:
	case 11: case 37: case 178: case 238: case 270: case 335: case 358:
		return true;
	}
	return false;
}

/* The same for the calls that write. */
static __always_inline bool syscall_may_write(const struct pt_regs *regs)
{
	switch ((int)regs->orig_ax) {
	case 1: case 18: case 20:
	case 4: case 181: case 146:
		return true;
	}
	return false;
}

/* The 32-bit calls pass theirs in other registers (arch/x86/include/asm/syscall.h, syscall_get_arguments). */
static __always_inline void syscall_args(const struct task_struct *task, const struct pt_regs *regs, __u64 args[3])
{
	if (is_32bit_call(task)) {
		args[0] = regs->bx;
		args[1] = regs->cx;
	} else {
		args[0] = regs->di;
		args[1] = regs->si;
	}
	args[2] = regs->dx;
}

#elif defined(__TARGET_ARCH_arm64)
#define SYS_write 64
#define SYS_writev 66
#define SYS_pwrite64 68
#define SYS_exit_group 94
#define SYS_kill 129
#define SYS_tkill 130
#define SYS_tgkill 131
#define SYS_rt_sigqueueinfo 138
#define SYS_execve 221
#define SYS_rt_tgsigqueueinfo 240
#define SYS_execveat 281
#define SYS_pidfd_send_signal 424

static __always_inline int syscall_nr(const struct task_struct *task, const struct pt_regs *regs)
{
	return regs->syscallno;
}

static __always_inline bool syscall_may_matter(const struct pt_regs *regs)
{
	switch (regs->syscallno) {
	case 129: case 130: case 131: case 138: case 221: case 240: case 281: case 424:
		return true;
	}
	return false;
}

static __always_inline bool syscall_may_write(const struct pt_regs *regs)
{
	switch (regs->syscallno) {
	case 64: case 66: case 68:
		return true;
	}
	return false;
}

/* The return value goes to regs[0]; orig_x0 keeps the first argument. */
static __always_inline void syscall_args(const struct task_struct *task, const struct pt_regs *regs, __u64 args[3])
{
	args[0] = regs->orig_x0;
	args[1] = regs->regs[1];
	args[2] = regs->regs[2];
}
#endif

#endif
