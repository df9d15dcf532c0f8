/* SPDX-License-Identifier: MIT */
/*
 * The system call that the running task is in: by one of two captures, which the knob `capture` chooses.
 *
 * Registers: they are saved at the entry and still hold the number and the arguments when the call returns (only the
 * return value is overwritten). No hook on the entry, no map.
 *
 * Hash: the entry notes the calls that mean something in a map keyed by thread id, signal_generate looks there, and the
 * exit takes the note away; so do an exec, after which the thread has the id of its leader, and the end of the thread.
 */
#ifndef SNOOP_CALL_BPF_H
#define SNOOP_CALL_BPF_H

#include "lane.bpf.h"
#include "syscall.bpf.h"

struct call {
	__u64 args[3];
	__u64 regs; /* where the registers are saved: there the stack of the call begins */
	__s32 nr;   /* NO_SYSCALL: none */
	__u32 pad;
};

/* Threads that are in such a call at one time. */
#define CALLS_MAX 32768

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CALLS_MAX);
	__type(key, __u32); /* thread id */
	__type(value, struct call);
} calls SEC(".maps") __weak;

/*
 * The kernel reads one number from what is written to cgroup.kill, with spaces around it (kernel/cgroup/cgroup.c,
 * cgroup_kill_write): longer writes mean nothing to us, and most writes are longer.
 */
#define NUMBER_BYTES 16

/* The stack of a task in the kernel is no smaller; there is no way to ask for its size. */
#define STACK_BYTES (16 << 10)

static __always_inline bool call_is_noted(const struct call *call)
{
	switch (call->nr) {
	case SYS_kill:
	case SYS_tkill:
	case SYS_tgkill:
	case SYS_rt_sigqueueinfo:
	case SYS_rt_tgsigqueueinfo:
	case SYS_pidfd_send_signal:
	case SYS_execve:
	case SYS_execveat:
	case SYS_writev:
		return true;
	case SYS_write:
	case SYS_pwrite64:
		return call->args[2] <= NUMBER_BYTES;
	}
	return false;
}

/* Notes a call at its entry, if it is one of ours. */
static __always_inline void call_note(const struct task_struct *task, const struct pt_regs *regs)
{
	if (!syscall_may_matter(regs) && !syscall_may_write(regs))
		return;

	__u32 tid = bpf_get_current_pid_tgid();
	struct call call = { .nr = syscall_nr(task, regs), .regs = (__u64)regs };

	syscall_args(task, regs, call.args);
	/* Without its note a call cannot be told, and its signals have no sender: that is a loss. */
	if (call_is_noted(&call) && bpf_map_update_elem(&calls, &tid, &call, BPF_ANY))
		snoop_count(SNOOP_LETHAL, SNOOP_ATTEMPT, true);
}

static __always_inline void call_forget(__u32 tid)
{
	if (knobs.capture == CAPTURE_HASH)
		bpf_map_delete_elem(&calls, &tid);
}

/* Whether the call that returns may be one of ours: asked first, since it is asked of every call of the machine. */
static __always_inline bool call_may_end(const struct pt_regs *regs)
{
	return syscall_may_matter(regs) || (knobs.capture == CAPTURE_HASH && syscall_may_write(regs));
}

/* What call it is that returns; its note is taken away. False: none of ours. */
static __always_inline bool call_end(const struct task_struct *task, const struct pt_regs *regs, struct call *call)
{
	if (knobs.capture == CAPTURE_REGS) {
		call->nr = syscall_nr(task, regs);
		syscall_args(task, regs, call->args);
		return true;
	}
	__u32 tid = bpf_get_current_pid_tgid();
	const struct call *noted = bpf_map_lookup_elem(&calls, &tid);

	if (!noted)
		return false;
	*call = *noted;
	bpf_map_delete_elem(&calls, &tid);
	return true;
}

/* The call in progress of the running task, which is a thread of a process. By the hash capture: of ours only. */
static __always_inline void call_now(const struct task_struct *task, struct call *call)
{
	if (knobs.capture == CAPTURE_REGS) {
		struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs((struct task_struct *)task);

		call->nr = syscall_nr(task, regs);
		call->regs = (__u64)regs;
		syscall_args(task, regs, call->args);
		return;
	}
	__u32 tid = bpf_get_current_pid_tgid();
	const struct call *noted = bpf_map_lookup_elem(&calls, &tid);

	if (noted) {
		*call = *noted;
	} else {
		call->nr = NO_SYSCALL;
		call->regs = (__u64)READ(task, stack) + STACK_BYTES;
		__builtin_memset(call->args, 0, sizeof(call->args));
	}
}

#endif
