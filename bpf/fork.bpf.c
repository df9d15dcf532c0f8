// SPDX-License-Identifier: MIT
/* sched_process_fork: after copy_process, before the child runs. Threads are no processes and are passed over. */
#include "process.bpf.h"

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	if (child->pid != child->tgid)
		return 0;
	if (knobs.scope == SCOPE_TREE) {
		__u32 pid = parent->tgid, member = TREE_MEMBER;

		if (!bpf_map_lookup_elem(&scope_tree, &pid))
			return 0;
		pid = child->tgid;
		bpf_map_update_elem(&scope_tree, &pid, &member, BPF_ANY);
	} else if (!in_scope(child) && !in_scope(parent)) {
		return 0;
	}
	struct ev_process *ev = snoop_reserve(SNOOP_BULK, SNOOP_FORK, sizeof(*ev));

	if (!ev)
		return 0;
	process_fill(ev, SNOOP_FORK, child);
	snoop_submit(ctx, SNOOP_BULK, ev, sizeof(*ev));
	return 0;
}
