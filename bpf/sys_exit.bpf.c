// SPDX-License-Identifier: MIT
/*
 * The end of the six system calls that send signals: of what signal_generate cannot tell. A call that sent one
 * signal to one process writes nothing here.
 */
#include "snoop.bpf.h"
#include "syscall.bpf.h"
#include "aim.bpf.h"
#include "exec_failed.bpf.h"

/* Where the call keeps the signal, and whether its first argument can name a group. */
static __always_inline bool send_call(int nr, const struct pt_regs *regs, int *sig, bool *group)
{
	*group = false;
	switch (nr) {
	case SYS_kill:
		*group = (int)SYSCALL_ARG0(regs) <= 0;
		*sig = SYSCALL_ARG1(regs);
		return true;
	case SYS_tkill:
	case SYS_rt_sigqueueinfo:
	case SYS_pidfd_send_signal:
		*sig = SYSCALL_ARG1(regs);
		return true;
	case SYS_tgkill:
	case SYS_rt_tgsigqueueinfo:
		*sig = SYSCALL_ARG2(regs);
		return true;
	}
	return false;
}

static __always_inline void attempt(const struct task_struct *task, const struct pt_regs *regs, int nr, int sig, int result)
{
	struct ev_attempt *ev = snoop_reserve(SNOOP_BULK, SNOOP_ATTEMPT, sizeof(*ev));

	if (!ev)
		return;
	snoop_header(&ev->h, SNOOP_ATTEMPT, task);
	ev->cgroup = snoop_cgroup_id(task);
	bpf_get_current_comm(ev->comm, sizeof(ev->comm));
	ev->uid = task->real_cred->uid.val;
	ev->syscall = nr;
	ev->args[0] = SYSCALL_ARG0(regs);
	ev->args[1] = SYSCALL_ARG1(regs);
	ev->args[2] = SYSCALL_ARG2(regs);
	ev->sig = sig;
	ev->result = result;
	ev->ns_level = task->thread_pid->level;
	add_target(ev, task);
	snoop_submit(ev);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long result)
{
	if (!syscall_may_matter(regs))
		return 0;

	struct task_struct *task = bpf_get_current_task_btf();
	int nr = syscall_nr(task, regs);
	bool group;
	int sig;

	if (send_call(nr, regs, &sig, &group)) {
		if ((result == 0 && sig != 0 && !group) || !in_scope(task))
			return 0;
		attempt(task, regs, nr, sig, result);
	} else if ((nr == SYS_execve || nr == SYS_execveat) && result < 0 && in_scope(task)) {
		exec_failed(task, regs, nr, result);
	}
	return 0;
}
