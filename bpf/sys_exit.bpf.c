// SPDX-License-Identifier: MIT
/*
 * The end of the six system calls that send signals: of what signal_generate cannot tell. A call that sent one
 * signal to one process writes nothing here.
 */
#include "snoop.bpf.h"
#include "aim.bpf.h"
#include "call.bpf.h"
#include "exec_failed.bpf.h"

/* Where the call keeps the signal, and whether its first argument can name a group. */
static __always_inline bool send_call(const struct call *call, int *sig, bool *group)
{
	*group = false;
	switch (call->nr) {
	case SYS_kill:
		*group = (int)call->args[0] <= 0;
		*sig = call->args[1];
		return true;
	case SYS_tkill:
	case SYS_rt_sigqueueinfo:
	case SYS_pidfd_send_signal:
		*sig = call->args[1];
		return true;
	case SYS_tgkill:
	case SYS_rt_tgsigqueueinfo:
		*sig = call->args[2];
		return true;
	}
	return false;
}

static __always_inline void attempt(void *ctx, const struct task_struct *task, const struct call *call, int sig, int result)
{
	struct ev_attempt *ev = snoop_reserve(SNOOP_BULK, SNOOP_ATTEMPT, sizeof(*ev));

	if (!ev)
		return;
	snoop_header(&ev->h, SNOOP_ATTEMPT, task);
	ev->cgroup = snoop_cgroup_id(task);
	snoop_comm(ev->comm, task);
	ev->uid = READ(task, real_cred, uid.val);
	ev->syscall = call->nr;
	ev->args[0] = call->args[0];
	ev->args[1] = call->args[1];
	ev->args[2] = call->args[2];
	ev->sig = sig;
	ev->result = result;
	ev->ns_level = READ(task, thread_pid, level);
	add_target(ev, task);
	snoop_submit(ctx, SNOOP_BULK, ev, sizeof(*ev));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long result)
{
	if (!call_may_end(regs))
		return 0;

	struct task_struct *task = running_task();
	struct call call;
	bool group;
	int sig;

	if (!call_end(task, regs, &call))
		return 0;
	if (send_call(&call, &sig, &group)) {
		if ((result == 0 && sig != 0 && !group) || !in_scope(task))
			return 0;
		attempt(ctx, task, &call, sig, result);
	} else if ((call.nr == SYS_execve || call.nr == SYS_execveat) && result < 0 && in_scope(task)) {
		exec_failed(ctx, task, &call, result);
	}
	return 0;
}
