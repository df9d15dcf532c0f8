// SPDX-License-Identifier: MIT
/*
 * signal_deliver: a thread takes a signal from its queue, on its way back to user mode, and a handler will run or the
 * default action follows. Only signals whose default action ends the process. What sigwait(2) or a signalfd takes is
 * never delivered. Nor, mostly, is the signal of a plain kill: a fatal one that dumps no core is decided when it is
 * generated, marks the whole group for its end and stays queued (kernel/signal.c, complete_signal); each thread then
 * comes here with a SIGKILL that has no siginfo, which tells nothing. What stayed queued is told at the end: exit.bpf.c.
 */
#include "snoop.bpf.h"
#include "lethal.bpf.h"
#include "siginfo.bpf.h"

SEC("tp_btf/signal_deliver")
int BPF_PROG(on_signal_deliver, int sig, struct kernel_siginfo *info, struct k_sigaction *action)
{
	struct task_struct *task = running_task();

	if (sig < 1 || sig > 64 || !is_lethal(sig) || !in_scope(task))
		return 0;

	unsigned long handler = (unsigned long)action->sa.sa_handler;
	bool handled = handler != SIG_DFL;
	struct snoop_siginfo told = { .sig = sig };

	if (handler == SIG_IGN || !read_siginfo(&told, info))
		return 0;
	/* The first process of a pid namespace gets through its own default actions unharmed (kernel/signal.c, get_signal). */
	if (!handled && sig != SIGKILL && READ(task, signal, flags) & SIGNAL_UNKILLABLE)
		return 0;

	enum snoop_lane lane = handled ? SNOOP_BULK : SNOOP_LETHAL;
	struct ev_delivery *ev = snoop_reserve(lane, SNOOP_DELIVERY, sizeof(*ev));

	if (!ev)
		return 0;
	snoop_header(&ev->h, SNOOP_DELIVERY, task);
	ev->info = told;
	ev->action = handled ? SNOOP_HANDLED : SNOOP_DEFAULT;
	snoop_submit(ctx, lane, ev, sizeof(*ev));
	return 0;
}
