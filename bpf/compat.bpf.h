/* SPDX-License-Identifier: MIT */
/*
 * What differs between kernels, one accessor each. A struct name ending in ___x is a flavour: libbpf matches it
 * with the kernel's struct of the name before the three underscores.
 */
#ifndef SNOOP_COMPAT_BPF_H
#define SNOOP_COMPAT_BPF_H

#include <stdbool.h>
#include "kernel.h"
#include "knobs.bpf.h"

/*
 * The running task. bpf_get_current_task_btf() is new in 5.11 (3ca1032ab7ab, "bpf: Add bpf_get_current_task_btf()
 * helper"): what it points at can be read at once. Before, the task is a mere number, and what it points at is copied.
 */
static __always_inline struct task_struct *running_task(void)
{
	if (knobs.capture == CAPTURE_REGS)
		return bpf_get_current_task_btf();
	return (void *)bpf_get_current_task();
}

/* READ(task, group_leader, start_boottime): task->group_leader->start_boottime, of a task from wherever. */
#define READ(from, ...) \
	(knobs.capture == CAPTURE_REGS ? ___arrow(from, __VA_ARGS__) : BPF_CORE_READ(from, __VA_ARGS__))

/*
 * Where an element lies in an array of the kernel. To a typed pointer only what has bounds may be added, and Linux 6.1
 * knows none of a product of two registers (kernel/bpf/verifier.c, adjust_scalar_min_max_vals): so it is shown one.
 */
#define ELEMENT_AT_MAX 0xffff

static __always_inline __u64 element_at(__u64 index, __u64 bytes)
{
	__u64 at = index * bytes;

	return at <= ELEMENT_AT_MAX ? at : 0;
}

/* kernfs_node.parent became __parent in 6.15 (633488947ef6, "kernfs: Use RCU to access kernfs_node::parent"). */
struct kernfs_node___rcu {
	struct kernfs_node *__parent;
} __attribute__((preserve_access_index));

struct kernfs_node___before_rcu {
	struct kernfs_node *parent;
} __attribute__((preserve_access_index));

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *node)
{
	struct kernfs_node___rcu *rcu = (void *)node;
	struct kernfs_node___before_rcu *before = (void *)node;

	if (bpf_core_field_exists(rcu->__parent))
		return BPF_CORE_READ(rcu, __parent);
	return BPF_CORE_READ(before, parent);
}

/* cgroup.ancestor_ids (u64) became cgroup.ancestors (pointers) in 6.1 (7f203bc89eb6, "cgroup: Replace cgroup->ancestor_ids[]"). */
struct cgroup___pointers {
	struct cgroup *ancestors[16];
} __attribute__((preserve_access_index));

struct cgroup___ids {
	__u64 ancestor_ids[16];
} __attribute__((preserve_access_index));

/* Not inlined: clang would compute the offset outside of the branch, and libbpf makes a missing one an error there. */
static __noinline __u64 ancestor_id_from_ids(struct cgroup *cgroup, __u32 level)
{
	struct cgroup___ids *ids = (void *)cgroup;
	__u64 id = 0;

	bpf_probe_read_kernel(&id, sizeof(id),
		(void *)cgroup + bpf_core_field_offset(ids->ancestor_ids) + level * sizeof(__u64));
	return id;
}

static __noinline __u64 ancestor_id_from_pointers(struct cgroup *cgroup, __u32 level)
{
	struct cgroup___pointers *pointers = (void *)cgroup;
	struct cgroup *ancestor = 0;

	bpf_probe_read_kernel(&ancestor, sizeof(ancestor),
		(void *)cgroup + bpf_core_field_offset(pointers->ancestors) + level * sizeof(void *));
	return BPF_CORE_READ(ancestor, kn, id);
}

/* Id of the ancestor of `cgroup` at `level`, which the caller knows to be no deeper than the cgroup itself. */
static __always_inline __u64 cgroup_ancestor_id(struct cgroup *cgroup, __u32 level)
{
	struct cgroup___pointers *pointers = (void *)cgroup;

	if (bpf_core_field_exists(pointers->ancestors))
		return ancestor_id_from_pointers(cgroup, level);
	return ancestor_id_from_ids(cgroup, level);
}

/* mm_types.h and mm_types_task.h: the counters of a process's resident pages. */
enum snoop_mm_counter {
	MM_FILEPAGES = 0,
	MM_ANONPAGES = 1,
	MM_SHMEMPAGES = 3,
};

/*
 * mm_struct.rss_stat became an array of percpu_counter in 6.2 (f1a7941243c1, "mm: convert mm's rss stats into
 * percpu_counter"). What single processors have not yet added to it is left out, as in the kernel's own log.
 */
struct percpu_counter {
	__s64 count;
} __attribute__((preserve_access_index));

struct mm_struct___percpu {
	struct percpu_counter rss_stat[4];
} __attribute__((preserve_access_index));

struct mm_rss_stat {
	atomic64_t count[4];
} __attribute__((preserve_access_index));

struct mm_struct___atomic {
	struct mm_rss_stat rss_stat;
} __attribute__((preserve_access_index));

static __noinline __s64 pages_from_percpu(struct mm_struct *mm, __u32 counter)
{
	struct mm_struct___percpu *percpu = (void *)mm;
	__s64 pages = 0;

	bpf_probe_read_kernel(&pages, sizeof(pages), (void *)mm + bpf_core_field_offset(percpu->rss_stat)
		+ counter * bpf_core_type_size(struct percpu_counter) + bpf_core_field_offset(struct percpu_counter, count));
	return pages;
}

static __noinline __s64 pages_from_atomic(struct mm_struct *mm, __u32 counter)
{
	struct mm_struct___atomic *atomic = (void *)mm;
	__s64 pages = 0;

	bpf_probe_read_kernel(&pages, sizeof(pages),
		(void *)mm + bpf_core_field_offset(atomic->rss_stat) + counter * sizeof(pages));
	return pages;
}

/* Resident pages of one kind. */
static __always_inline __s64 resident_pages(struct mm_struct *mm, enum snoop_mm_counter counter)
{
	struct mm_struct___percpu *percpu = (void *)mm;
	__s64 pages = bpf_core_field_exists(percpu->rss_stat[0].count) ? pages_from_percpu(mm, counter)
								       : pages_from_atomic(mm, counter);

	return pages > 0 ? pages : 0;
}

/*
 * oom:mark_victim told a pid before 6.8 (72ba14deb40a, "mm: update mark_victim tracepoints fields", which went into stable kernels
 * too), since then a task, and of it many fields.
 */
struct trace_event_raw_mark_victim___task {
	__u32 uid;
} __attribute__((preserve_access_index));

static __always_inline bool mark_victim_tells_task(void)
{
	return bpf_core_field_exists(struct trace_event_raw_mark_victim___task, uid);
}

#endif
