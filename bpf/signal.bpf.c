// SPDX-License-Identifier: MIT
/*
 * signal_generate: once for each real target of a signal, whoever sent it and however. Not for the threads that
 * a lethal signal takes down with their process: those are zapped without it (kernel/signal.c, complete_signal).
 */
#include "snoop.bpf.h"
#include "call.bpf.h"
#include "lethal.bpf.h"

#define RLIMIT_CPU 0
#define NSEC_PER_SEC 1000000000ULL

/* The target's siglock is held here, so its handler table stands still. */
static __always_inline enum snoop_disposition disposition_of(const struct task_struct *task, int sig)
{
	struct sighand_struct *sighand = task->sighand;
	unsigned long handler = 0;

	if (sig == SIGKILL || sig == SIGSTOP)
		return SNOOP_DEFAULT;
	bpf_probe_read_kernel(&handler, sizeof(handler), (void *)sighand
		+ bpf_core_field_offset(struct sighand_struct, action)
		+ element_at(sig - 1, bpf_core_type_size(struct k_sigaction))
		+ bpf_core_field_offset(struct k_sigaction, sa.sa_handler));
	if (handler == SIG_IGN)
		return SNOOP_IGNORED;
	if (handler)
		return SNOOP_HANDLED;
	/* sigwait(3) opens what it waits for, and keeps what was blocked before in real_blocked. */
	return (task->blocked.sig[0] | task->real_blocked.sig[0]) >> (sig - 1) & 1 ? SNOOP_BLOCKED : SNOOP_DEFAULT;
}

static __always_inline int code_of(const struct kernel_siginfo *info)
{
	/* Two small numbers stand for siginfos that nobody filled in (kernel/signal.c, __send_signal_locked). */
	if ((unsigned long)info == SEND_SIG_NOINFO)
		return SI_USER;
	if ((unsigned long)info == SEND_SIG_PRIV)
		return SI_KERNEL;
	int code = 0;

	bpf_probe_read_kernel(&code, sizeof(code), (void *)info + bpf_core_field_offset(struct kernel_siginfo, si_code));
	return code;
}

/*
 * A system call fills in its siginfo on the stack of its caller, which ends below the saved registers; a timer keeps its own,
 * and the interrupt that sends it runs on a stack of the processor's.
 */
static __always_inline bool is_made_by(const struct kernel_siginfo *info, const struct task_struct *task, const struct call *call)
{
	unsigned long at = (unsigned long)info;

	return at <= SEND_SIG_PRIV || (at > (unsigned long)READ(task, stack) && at < call->regs);
}

/* A signal to somebody else is of a task in scope when that made it: an interrupt only borrows the task. */
static __always_inline bool is_sent_in_scope(const struct kernel_siginfo *info, const struct task_struct *task)
{
	struct call call;

	if (!in_scope(task))
		return false;
	call_now(task, &call);
	return is_made_by(info, task, &call);
}

/* The test that the kernel makes before it sends its SIGKILL (kernel/time/posix-cpu-timers.c, check_process_timers). */
static __always_inline bool cpu_limit_reached(const struct task_struct *task)
{
	__u64 limit = READ(task, signal, rlim[RLIMIT_CPU].rlim_max);

	if (limit == ~0ULL)
		return false;
	return (__u64)(READ(task, signal, cputimer.cputime_atomic.utime.counter)
		       + READ(task, signal, cputimer.cputime_atomic.stime.counter)) >= limit * NSEC_PER_SEC;
}

SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal_generate, int sig, struct kernel_siginfo *info, struct task_struct *target, int group, int result)
{
	struct task_struct *task = running_task();

	if (sig < 1 || sig > 64 || (!in_scope(target) && !is_sent_in_scope(info, task)))
		return 0;

	enum snoop_disposition disposition = disposition_of(target, sig);
	bool lethal = disposition == SNOOP_DEFAULT && result == 0 && is_lethal(sig);
	enum snoop_lane lane = lethal ? SNOOP_LETHAL : SNOOP_BULK;
	struct ev_signal *ev = snoop_reserve(lane, SNOOP_SIGNAL, sizeof(*ev));

	if (!ev)
		return 0;
	snoop_header(&ev->h, SNOOP_SIGNAL, task);
	snoop_key(&ev->target, target);
	snoop_comm(ev->comm, task);
	snoop_comm(ev->target_comm, target);
	ev->uid = READ(task, real_cred, uid.val);
	ev->code = code_of(info);
	ev->sig = sig;
	ev->result = result;
	ev->group = group != 0;
	ev->disposition = disposition;
	ev->syscall = NO_SYSCALL;
	if (sig == SIGKILL && cpu_limit_reached(task))
		ev->sender |= SNOOP_S_CPU_LIMIT;
	__u32 flags = READ(task, flags);

	if (flags & PF_EXITING) {
		__u32 level;

		ev->sender |= SNOOP_S_EXITING;
		ev->pdeathsig = target->pdeath_signal;
		if (snoop_ns_pid(task, &level) == 1 && level > 0)
			ev->sender |= SNOOP_S_NS_INIT;
		/* do_exit() counts signal->live down before it tells anyone; a group that was told to exit has the flag long before. */
		if (READ(task, signal, live.counter) == 0 || READ(task, signal, flags) & SIGNAL_GROUP_EXIT)
			ev->sender |= SNOOP_S_GROUP_ENDS;
	}
	if (flags & (PF_KTHREAD | PF_IDLE)) {
		ev->sender |= SNOOP_S_KTHREAD;
	} else {
		struct call call;

		call_now(task, &call);
		ev->syscall = call.nr;
		ev->args[0] = call.args[0];
		ev->args[1] = call.args[1];
		if (!is_made_by(info, task, &call))
			ev->sender |= SNOOP_S_BYSTANDER;
	}
	snoop_submit(ctx, lane, ev, sizeof(*ev));
	return 0;
}
