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

static __always_inline void victim_chosen(const struct task_struct *victim)
{
	struct task_struct *task = bpf_get_current_task_btf();

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
	scratch_submit(s, SNOOP_LETHAL, SNOOP_OOM);
}

SEC("tp_btf/mark_victim")
int BPF_PROG(on_mark_victim, struct task_struct *victim)
{
	victim_chosen(victim);
	return 0;
}
