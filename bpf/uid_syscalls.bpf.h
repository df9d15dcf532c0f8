/* SPDX-License-Identifier: MIT */
/* How many system calls each user makes, counted in a hash map and nowhere else. */
#ifndef SNOOP_UID_SYSCALLS_BPF_H
#define SNOOP_UID_SYSCALLS_BPF_H

#include "compat.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);   /* real user id */
	__type(value, __u64); /* system calls since the probe was attached */
} uid_syscalls SEC(".maps") __weak;

static __always_inline void count_syscall(const struct task_struct *task)
{
	__u32 uid = READ(task, real_cred, uid.val);
	__u64 one = 1, *count;

	count = bpf_map_lookup_elem(&uid_syscalls, &uid);
	if (count)
		__sync_fetch_and_add(count, 1);
	else if (bpf_map_update_elem(&uid_syscalls, &uid, &one, BPF_NOEXIST)) {
		count = bpf_map_lookup_elem(&uid_syscalls, &uid); /* another CPU was first */
		if (count)
			__sync_fetch_and_add(count, 1);
	}
}

#endif
