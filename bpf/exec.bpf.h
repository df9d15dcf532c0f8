/* SPDX-License-Identifier: MIT */
/* What a successful and a failed exec tell alike: who called. */
#ifndef SNOOP_EXEC_BPF_H
#define SNOOP_EXEC_BPF_H

#include "scratch.bpf.h"

static __always_inline __u32 tty_device(const struct task_struct *task)
{
	struct tty_struct *tty = READ(task, signal, tty);

	if (!tty)
		return 0;
	return MKDEV(BPF_CORE_READ(tty, driver, major), BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index));
}

/* Fills the zeroed fixed part with what is known of the caller. */
static __always_inline void exec_caller(struct ev_exec *ev, const struct task_struct *task)
{
	snoop_header(&ev->h, SNOOP_EXEC, task);
	ev->cgroup = snoop_cgroup_id(task);
	snoop_comm(ev->comm, task);
	ev->uid = READ(task, real_cred, uid.val);
	ev->gid = READ(task, real_cred, gid.val);
	ev->euid = READ(task, real_cred, euid.val);
	ev->egid = READ(task, real_cred, egid.val);
	ev->loginuid = READ(task, loginuid.val);
	ev->session = READ(task, sessionid);
	ev->tty = tty_device(task);
	ev->old_tid = READ(task, pid);
}

#endif
