// SPDX-License-Identifier: MIT
/*
 * How many system calls each user makes: raw_syscalls:sys_enter, counted in a hash map and nowhere else. It costs every
 * system call of the machine a little, so it is loaded only when asked for (--count-syscalls).
 */
#include "snoop.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);   /* real user id */
	__type(value, __u64); /* system calls since the probe was attached */
} uid_syscalls SEC(".maps") __weak;

SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long nr)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 uid = task->real_cred->uid.val;
	__u64 one = 1, *count;

	if (!in_scope(task))
		return 0;
	count = bpf_map_lookup_elem(&uid_syscalls, &uid);
	if (count)
		__sync_fetch_and_add(count, 1);
	else if (bpf_map_update_elem(&uid_syscalls, &uid, &one, BPF_NOEXIST)) {
		count = bpf_map_lookup_elem(&uid_syscalls, &uid); /* another CPU was first */
		if (count)
			__sync_fetch_and_add(count, 1);
	}
	return 0;
}
