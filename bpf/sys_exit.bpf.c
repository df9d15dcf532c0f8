// SPDX-License-Identifier: MIT
/*
 * The return of the calls that send signals: of what signal_generate cannot tell. A call that sent one signal to one
 * process writes nothing here. And the return of an execve that failed.
 *
 * By one of two ways, each with programs of its own (recorder/object.ts loads those of one): `each` is a tracepoint of
 * every such call, which costs the other calls of the machine next to nothing; `all` is the one of every call. The first
 * never sees the 32-bit table (kernel/trace/trace_syscalls.c, trace_get_syscall_nr).
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

static __always_inline int returned(void *ctx, const struct task_struct *task, const struct pt_regs *regs, long result)
{
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

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long result)
{
	return call_may_end(regs) ? returned(ctx, running_task(), regs, result) : 0;
}

/* events/syscalls/sys_exit_kill/format, and so for every other call; what comes before `nr` is not for programs. */
struct call_return {
	__u64 common;
	__s32 nr;
	__u32 pad;
	__s64 result;
};

static __always_inline int returned_now(struct call_return *ctx)
{
	struct task_struct *task = running_task();

	return returned(ctx, task, (struct pt_regs *)bpf_task_pt_regs(task), ctx->result);
}

/* On kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo and pidfd_send_signal. */
SEC("tp")
int on_send_return(struct call_return *ctx)
{
	return returned_now(ctx);
}

/* On execve and execveat. */
SEC("tp")
int on_exec_return(struct call_return *ctx)
{
	return ctx->result < 0 ? returned_now(ctx) : 0;
}
