/* SPDX-License-Identifier: MIT */
/* A process as a fork and the snapshot tell of it. */
#ifndef SNOOP_PROCESS_BPF_H
#define SNOOP_PROCESS_BPF_H

#include "snoop.bpf.h"

/* Fills the zeroed `ev`; `task` is the leader of its group. */
static __always_inline void process_fill(struct ev_process *ev, enum snoop_type type, const struct task_struct *task)
{
	snoop_header(&ev->h, type, task);
	snoop_key(&ev->parent, READ(task, real_parent));
	ev->cgroup = snoop_cgroup_id(task);
	snoop_comm(ev->comm, task);
	ev->uid = READ(task, real_cred, uid.val);
	ev->ns_pid = snoop_ns_pid(task, &ev->ns_level);
	ev->kthread = READ(task, flags) & PF_KTHREAD ? 1 : 0;
}

#endif
