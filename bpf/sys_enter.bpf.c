// SPDX-License-Identifier: MIT
/*
 * raw_syscalls:sys_enter. It costs every system call of the machine a little, so it is loaded only where it is needed:
 * to count the calls of each user (--count-syscalls), and to note calls where registers cannot be read later.
 */
#include "snoop.bpf.h"
#include "call.bpf.h"
#include "uid_syscalls.bpf.h"

SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long nr)
{
	struct task_struct *task = running_task();

	if (knobs.capture == CAPTURE_HASH)
		call_note(task, regs);
	if (knobs.count_syscalls && in_scope(task))
		count_syscall(task);
	return 0;
}
