/* SPDX-License-Identifier: MIT */
/*
 * What every probe shares: the lanes, the counters, the scope, and the way a record gets into a lane:
 *
 *     struct ev_x *ev = snoop_reserve(SNOOP_BULK, SNOOP_X, sizeof(*ev));   zeroed, or NULL and counted as lost
 *     if (!ev) return 0;
 *     snoop_header(&ev->h, SNOOP_X, task);
 *     ev->…
 *     snoop_submit(ev);
 *
 * Probes on raw tracepoints run with preemption off, so per-CPU counters and scratch need no lock.
 */
#ifndef SNOOP_BPF_H
#define SNOOP_BPF_H

#include <stdbool.h>
#include "kernel.h"
#include "wire.h"
#include "compat.bpf.h"

/* ---- knobs: set by the recorder before the object is loaded ---- */

enum snoop_scope {
	SCOPE_MACHINE = 0,
	SCOPE_CGROUPS = 1, /* sender or target below one of scope_cgroups */
	SCOPE_TREE = 2,    /* descendants of the processes marked in scope_tree */
};

#define SCOPE_CGROUPS_MAX 8

struct snoop_scope_cgroup {
	__u64 id;
	__u32 level; /* depth below the root of the hierarchy */
	__u32 pad;
};

struct snoop_knobs {
	__u32 scope; /* enum snoop_scope */
	__u32 scope_cgroups;
	struct snoop_scope_cgroup scope_cgroup[SCOPE_CGROUPS_MAX];
	__u32 args_bytes; /* argument bytes kept per exec, at most ARGS_MAX */
	__u32 pad;
};

extern const volatile struct snoop_knobs knobs;

/* ---- lanes and counters ---- */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} lane_lethal SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} lane_bulk SEC(".maps") __weak;

/* One entry per CPU; the recorder maps it into its memory, so reading it needs no system call and no capability. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct snoop_counters);
} counters SEC(".maps") __weak;

static __always_inline struct snoop_counters *snoop_counters_of_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&counters, &cpu);
}

static __always_inline void snoop_count(enum snoop_lane lane, enum snoop_type type, bool lost)
{
	struct snoop_counters *c = snoop_counters_of_cpu();

	if (!c)
		return;
	c->seen[lane][type]++;
	if (lost)
		c->lost[lane][type]++;
}

/* A zeroed record of fixed size in a lane, or NULL: then it is counted as lost. */
static __always_inline void *snoop_reserve(enum snoop_lane lane, enum snoop_type type, const __u64 size)
{
	void *record = lane == SNOOP_LETHAL ? bpf_ringbuf_reserve(&lane_lethal, size, 0)
					    : bpf_ringbuf_reserve(&lane_bulk, size, 0);

	snoop_count(lane, type, !record);
	if (record)
		__builtin_memset(record, 0, size);
	return record;
}

/*
 * Without flags the kernel wakes the recorder only when it had read everything before this record (kernel/bpf/ringbuf.c,
 * bpf_ringbuf_commit). It gives nothing back before its batch is stored, so that is once a batch, and never in a storm.
 */
static __always_inline void snoop_submit(void *record)
{
	bpf_ringbuf_submit(record, 0);
}

/* A record of variable size, copied from memory of ours. */
static __always_inline void snoop_output(enum snoop_lane lane, enum snoop_type type, void *record, __u64 size)
{
	long error = lane == SNOOP_LETHAL ? bpf_ringbuf_output(&lane_lethal, record, size, 0)
					  : bpf_ringbuf_output(&lane_bulk, record, size, 0);

	snoop_count(lane, type, error != 0);
}

/* ---- header ---- */

/* The identity of the process that `task` is a thread of. */
static __always_inline void snoop_key(struct snoop_key *key, const struct task_struct *task)
{
	key->start = task->group_leader->start_boottime;
	key->pid = task->tgid;
	key->tid = task->pid;
}

static __always_inline void snoop_header(struct snoop_header *h, enum snoop_type type, const struct task_struct *task)
{
	h->type = type;
	h->time = bpf_ktime_get_boot_ns();
	snoop_key(&h->key, task);
}

static __always_inline void snoop_comm(char comm[SNOOP_COMM], const struct task_struct *task)
{
	/* The array is SNOOP_COMM long and its last byte always NUL (fs/exec.c, __set_task_comm): the _str form costs thrice as much. */
	bpf_probe_read_kernel(comm, SNOOP_COMM, task->comm);
}

static __always_inline __u64 snoop_cgroup_id(const struct task_struct *task)
{
	return task->cgroups->dfl_cgrp->kn->id;
}

/* pid of the process inside its own pid namespace; *level is the depth of that namespace. */
static __always_inline int snoop_ns_pid(const struct task_struct *task, __u32 *level)
{
	struct pid *pid = task->group_leader->thread_pid;
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
	__u32 level = cgroup->level;
	__u64 id = cgroup->kn->id;

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
		return cgroup_in_scope(task->cgroups->dfl_cgrp);

	__u32 pid = task->tgid;
	__u32 *mark = bpf_map_lookup_elem(&scope_tree, &pid);

	return mark && *mark == TREE_MEMBER;
}

#endif
