// SPDX-License-Identifier: MIT
/*
 * cgroup:cgroup_mkdir, so that the path of a cgroup is known even when it is gone before anyone looks. Only the
 * unified hierarchy, whose ids the records carry; its number is 0 (kernel/cgroup/cgroup.c, cgrp_dfl_root).
 */
#include "scratch.bpf.h"

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(on_cgroup_mkdir, struct cgroup *cgroup, const char *path)
{
	if (cgroup->root->hierarchy_id != 0)
		return 0;
	if (knobs.scope == SCOPE_CGROUPS ? !cgroup_in_scope(cgroup) : !in_scope(running_task()))
		return 0;

	struct scratch *s = scratch_begin(SNOOP_BULK, SNOOP_CGROUP, sizeof(struct ev_cgroup));

	if (!s)
		return 0;

	struct ev_cgroup *ev = (void *)s->record;

	snoop_header(&ev->h, SNOOP_CGROUP, running_task());
	ev->id = cgroup->kn->id;
	ev->path_bytes = append_string(s, PATH_BYTES_MAX, path);
	scratch_submit(ctx, s, SNOOP_BULK, SNOOP_CGROUP);
	return 0;
}
