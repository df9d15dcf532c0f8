/* SPDX-License-Identifier: MIT */
/*
 * What every probe shares: the lanes, the header of a record, and the scope.
 *
 * Probes on raw tracepoints run with preemption off, so per-CPU counters and scratch need no lock. What hangs on a task
 * is read by READ(): the running task may be a mere number (compat.bpf.h).
 */
#ifndef SNOOP_BPF_H
#define SNOOP_BPF_H

#include "compat.bpf.h"
#include "lane.bpf.h"

/* ---- header ---- */

/* The identity of the process that `task` is a thread of. */
static __always_inline void snoop_key(struct snoop_key *key, const struct task_struct *task)
{
	key->start = READ(task, group_leader, start_boottime);
	key->pid = READ(task, tgid);
	key->tid = READ(task, pid);
}

static __always_inline void snoop_header(struct snoop_header *h, enum snoop_type type, const struct task_struct *task)
{
	h->type = type;
	h->time = bpf_ktime_get_boot_ns();
	snoop_key(&h->key, task);
}

static __always_inline void snoop_comm(char comm[SNOOP_COMM], const struct task_struct *task)
{
	/* The array is SNOOP_COMM long and its last byte always NUL (fs/exec.c, __set_task_comm): no helper for strings is needed. */
	if (knobs.capture == CAPTURE_REGS) {
		((__u64 *)comm)[0] = *(__u64 *)&task->comm[0];
		((__u64 *)comm)[1] = *(__u64 *)&task->comm[8];
	} else {
		bpf_probe_read_kernel(comm, SNOOP_COMM, task->comm);
	}
}

static __always_inline __u64 snoop_cgroup_id(const struct task_struct *task)
{
	return READ(task, cgroups, dfl_cgrp, kn, id);
}

/* pid of the process inside its own pid namespace; *level is the depth of that namespace. */
static __always_inline int snoop_ns_pid(const struct task_struct *task, __u32 *level)
{
	struct pid *pid = READ(task, group_leader, thread_pid);
	int nr = 0;

	*level = BPF_CORE_READ(pid, level);
	bpf_probe_read_kernel(&nr, sizeof(nr), (void *)pid + bpf_core_field_offset(struct pid, numbers)
		+ element_at(*level, bpf_core_type_size(struct upid)) + bpf_core_field_offset(struct upid, nr));
	return nr;
}

/* ---- scope ---- */

enum snoop_tree_mark {
	TREE_MEMBER = 1,
	TREE_ROOT = 2, /* the recorder itself: what it forks is a member, it is not */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32); /* thread group id */
	__type(value, __u32);
} scope_tree SEC(".maps") __weak;

static __always_inline bool cgroup_in_scope(struct cgroup *cgroup)
{
	__u32 level = READ(cgroup, level);
	__u64 id = READ(cgroup, kn, id);

	for (int i = 0; i < SCOPE_CGROUPS_MAX; i++) {
		if (i >= knobs.scope_cgroups)
			break;
		if (id == knobs.scope_cgroup[i].id)
			return true;
		if (level > knobs.scope_cgroup[i].level
		    && cgroup_ancestor_id(cgroup, knobs.scope_cgroup[i].level) == knobs.scope_cgroup[i].id)
			return true;
	}
	return false;
}

static __always_inline bool in_scope(const struct task_struct *task)
{
	if (knobs.scope == SCOPE_MACHINE)
		return true;
	if (knobs.scope == SCOPE_CGROUPS)
		return cgroup_in_scope(READ(task, cgroups, dfl_cgrp));

	__u32 pid = READ(task, tgid);
	__u32 *mark = bpf_map_lookup_elem(&scope_tree, &pid);

	return mark && *mark == TREE_MEMBER;
}

#endif
