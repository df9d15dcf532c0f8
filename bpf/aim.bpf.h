/* SPDX-License-Identifier: MIT */
/* Which process a call was aimed at that sent no signal: refused, or signal 0. */
#ifndef SNOOP_AIM_BPF_H
#define SNOOP_AIM_BPF_H

#include "snoop.bpf.h"
#include "syscall.bpf.h"

#define EPERM 1
#define ESRCH 3

/* include/uapi/linux/magic.h */
#define PID_FS_MAGIC 0x50494446
#define ANON_INODE_FS_MAGIC 0x09041934
#define PROC_SUPER_MAGIC 0x9fa0

/* kernel/bpf/helpers.c; 6.15 and later. Where there is none, a pid of a nested namespace stays unresolved. */
extern struct task_struct *bpf_task_from_vpid(__s32 pid) __weak __ksym;
extern void bpf_task_release(struct task_struct *task) __weak __ksym;

/*
 * What is behind a descriptor that pidfd_send_signal(2) took for a process, as it has when it asked for permission
 * (kernel/signal.c). Then the file system says which of the three kinds it is: a pidfd since 6.9 (cb12fd8e0dab, "pidfd: add
 * pidfs"), a pidfd before, or a directory /proc/PID. With any other error it may be some other file.
 */
static __always_inline struct pid *pid_behind(const struct task_struct *task, __u32 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd), *file = 0;

	if (fd >= BPF_CORE_READ(table, max_fds) || bpf_probe_read_kernel(&file, sizeof(file), files + fd) || !file)
		return 0;

	struct inode *inode = BPF_CORE_READ(file, f_inode);

	switch (BPF_CORE_READ(inode, i_sb, s_magic)) {
	case PID_FS_MAGIC:
		return BPF_CORE_READ(inode, i_private);
	case ANON_INODE_FS_MAGIC:
		return BPF_CORE_READ(file, private_data);
	case PROC_SUPER_MAGIC: {
		struct proc_inode *proc = (void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);

		return BPF_CORE_READ(proc, pid);
	}
	}
	return 0;
}

/* The process of a struct pid; none when it is gone. */
static __always_inline void key_of_pid(struct snoop_key *key, struct pid *pid)
{
	void *node = BPF_CORE_READ(pid, tasks[0].first); /* PIDTYPE_PID */

	if (!node)
		return;

	struct task_struct *task = node - bpf_core_field_offset(struct task_struct, pid_links);

	key->start = BPF_CORE_READ(task, group_leader, start_boottime);
	key->pid = BPF_CORE_READ(task, tgid);
	key->tid = BPF_CORE_READ(task, pid);
}

/*
 * Fills the zeroed target of `ev`, which is complete otherwise. A descriptor, and a pid of a nested namespace, mean something
 * only now and here; a pid of the initial namespace is known to the recorder. ESRCH: nobody bears the pid.
 */
static __always_inline void add_target(struct ev_attempt *ev, const struct task_struct *task)
{
	if (ev->result == -ESRCH)
		return;
	if (ev->syscall == SYS_pidfd_send_signal) {
		if (ev->result != 0 && ev->result != -EPERM)
			return;

		struct pid *pid = pid_behind(task, ev->args[0]);

		if (pid)
			key_of_pid(&ev->target, pid);
	} else if (ev->args[0] > 0 && (ev->result < 0 || ev->ns_level > 0) && bpf_task_from_vpid) {
		struct task_struct *target = bpf_task_from_vpid(ev->args[0]);

		if (!target)
			return;
		snoop_key(&ev->target, target);
		bpf_task_release(target);
	}
}

#endif
