// SPDX-License-Identifier: MIT
/*
 * oom:mark_victim: the kernel chose a victim and has sent its SIGKILL (mm/oom_kill.c, __oom_kill_process). Fires even where nothing reaches the kernel log,
 * as for victims that were exiting already.
 */
#include "scratch.bpf.h"

static __always_inline void add_memory_cgroup(struct scratch *s, struct ev_oom *ev, const struct task_struct *victim)
{
	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		return;

	struct cgroup_subsys_state *css = 0;
	struct css_set *set = victim->cgroups;

	bpf_probe_read_kernel(&css, sizeof(css), (void *)set + bpf_core_field_offset(struct css_set, subsys)
		+ bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id) * sizeof(void *));
	ev->memcg_bytes = append_kernfs_path(s, BPF_CORE_READ(css, cgroup, kn), &ev->h.flags);
}

static __always_inline void add_resident(struct ev_oom *ev, const struct task_struct *victim)
{
	struct mm_struct *mm = BPF_CORE_READ(victim, mm);

	ev->anon_pages = mm ? resident_pages(mm, MM_ANONPAGES) : -1;
	ev->file_pages = mm ? resident_pages(mm, MM_FILEPAGES) : -1;
	ev->shmem_pages = mm ? resident_pages(mm, MM_SHMEMPAGES) : -1;
}

static __always_inline void victim_chosen(void *ctx, const struct task_struct *victim)
{
	struct task_struct *task = running_task();

	if (!in_scope(victim) && !in_scope(task))
		return;

	struct scratch *s = scratch_begin(SNOOP_LETHAL, SNOOP_OOM, sizeof(struct ev_oom));

	if (!s)
		return;

	struct ev_oom *ev = (void *)s->record;

	snoop_header(&ev->h, SNOOP_OOM, task);
	snoop_key(&ev->victim, victim);
	ev->cgroup = snoop_cgroup_id(victim);
	snoop_comm(ev->comm, victim);
	ev->uid = victim->real_cred->uid.val;
	ev->oom_score_adj = victim->signal->oom_score_adj;
	add_resident(ev, victim);
	add_memory_cgroup(s, ev, victim);
	scratch_submit(ctx, s, SNOOP_LETHAL, SNOOP_OOM);
}

/* Of a victim that is told by its pid alone: the recorder knows who bears it, for it lives yet. */
static __always_inline void pid_chosen(void *ctx, int pid)
{
	struct task_struct *task = running_task();

	if (!in_scope(task))
		return;

	struct ev_oom *ev = snoop_reserve(SNOOP_LETHAL, SNOOP_OOM, sizeof(*ev));

	if (!ev)
		return;
	snoop_header(&ev->h, SNOOP_OOM, task);
	ev->victim.pid = ev->victim.tid = pid;
	ev->anon_pages = ev->file_pages = ev->shmem_pages = -1;
	snoop_submit(ctx, SNOOP_LETHAL, ev, sizeof(*ev));
}

SEC("tp_btf/mark_victim")
int on_mark_victim(__u64 *ctx)
{
	if (mark_victim_tells_task())
		victim_chosen(ctx, (struct task_struct *)ctx[0]);
	else
		pid_chosen(ctx, ctx[0]);
	return 0;
}
