// SPDX-License-Identifier: MIT
/*
 * sched_process_exit of the last thread of a process. The status is the one that wait(2) will see: the group's when
 * the group was told to exit, else the leader's (kernel/exit.c, wait_task_zombie). A leader may have ended long before.
 */
#include "snoop.bpf.h"
#include "call.bpf.h"
#include "siginfo.bpf.h"

/*
 * A fatal signal that dumps no core is never taken from its queue: all threads just end (kernel/signal.c, complete_signal).
 * So its siginfo is still there, unless it was a SIGKILL, for which a sending process leaves none (__send_signal_locked).
 */
static __always_inline void add_cause(struct ev_exit *ev, const struct task_struct *task, int sig)
{
	if (!find_waiting(&ev->info, (const void *)task->signal + bpf_core_field_offset(struct signal_struct, shared_pending), sig))
		find_waiting(&ev->info, (const void *)task + bpf_core_field_offset(struct task_struct, pending), sig);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct signal_struct *signal = task->signal;
	struct task_struct *leader = task->group_leader;

	call_forget(task->pid);
	/* do_exit() counts signal->live down before it comes here. Two last threads may both see 0: the recorder drops the second. */
	if (signal->live.counter != 0 || !in_scope(task))
		return 0;

	int status = signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code : leader->exit_code;
	enum snoop_lane lane = status & 0x7f ? SNOOP_LETHAL : SNOOP_BULK;
	struct ev_exit *ev = snoop_reserve(lane, SNOOP_EXIT, sizeof(*ev));

	if (ev) {
		snoop_header(&ev->h, SNOOP_EXIT, task);
		snoop_key(&ev->parent, leader->real_parent);
		ev->cgroup = snoop_cgroup_id(task);
		/* Times of threads that were reaped are in signal_struct; the last one and a zombie leader are not. */
		ev->utime = signal->utime + task->utime + (leader != task ? leader->utime : 0);
		ev->stime = signal->stime + task->stime + (leader != task ? leader->stime : 0);
		ev->max_rss_pages = signal->maxrss;
		snoop_comm(ev->comm, leader);
		ev->uid = task->real_cred->uid.val;
		ev->status = status;
		if (status & 0x7f)
			add_cause(ev, task, status & 0x7f);
		snoop_submit(ctx, lane, ev, sizeof(*ev));
	}
	if (knobs.scope == SCOPE_TREE) {
		__u32 pid = task->tgid;

		bpf_map_delete_elem(&scope_tree, &pid);
	}
	return 0;
}
