// SPDX-License-Identifier: MIT
/* sched_process_exec: the new image is in place, its arguments lie in one piece between arg_start and arg_end. */
#include "call.bpf.h"
#include "exec.bpf.h"

/* mm/memfd.c names every such file memfd:…, and it never has a link. */
static __always_inline bool is_memfd_name(const __u8 *name)
{
	return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' && name[5] == ':';
}

/* What runs now: of a script, its interpreter. */
static __always_inline void add_exe(struct scratch *s, struct ev_exec *ev, const struct task_struct *task)
{
	struct file *file = task->mm->exe_file;
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	ev->exe_bytes = append_path(s, (void *)file + bpf_core_field_offset(struct file, f_path), &ev->h.flags);
	ev->inode = BPF_CORE_READ(inode, i_ino);
	ev->device = BPF_CORE_READ(inode, i_sb, s_dev);
	if (BPF_CORE_READ(inode, i_nlink) == 0)
		ev->h.flags |= is_memfd_name(ev->data) ? SNOOP_F_DELETED | SNOOP_F_MEMFD : SNOOP_F_DELETED;
}

static __always_inline void add_argv(struct scratch *s, struct ev_exec *ev, const struct task_struct *task)
{
	unsigned long start = task->mm->arg_start;
	__u64 n = task->mm->arg_end - start;
	__u32 at = s->at;

	ev->args_bytes = n;
	if (n > knobs.args_bytes) {
		n = knobs.args_bytes;
		ev->h.flags |= SNOOP_F_ARGS_CUT;
	}
	if (n > ARGS_MAX || at > TEXT_MAX)
		return;
	if (bpf_probe_read_user(s->record + at, n, (void *)start)) {
		ev->h.flags |= SNOOP_F_ARGS_UNREADABLE;
		return;
	}
	ev->argv_bytes = n;
	s->at = at + n;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	if (old_pid != task->pid)
		call_forget(old_pid);
	if (!in_scope(task))
		return 0;

	struct scratch *s = scratch_begin(SNOOP_BULK, SNOOP_EXEC, sizeof(struct ev_exec));

	if (!s)
		return 0;

	struct ev_exec *ev = (void *)s->record;

	exec_caller(ev, task);
	ev->old_tid = old_pid;
	add_exe(s, ev, task);
	ev->cwd_bytes = append_path(s, (void *)task->fs + bpf_core_field_offset(struct fs_struct, pwd), &ev->h.flags);
	ev->filename_bytes = append_string(s, PATH_BYTES_MAX, bprm->filename);
	if (bprm->interp != bprm->filename)
		ev->interp_bytes = append_string(s, PATH_BYTES_MAX, bprm->interp);
	add_argv(s, ev, task);
	scratch_submit(ctx, s, SNOOP_BULK, SNOOP_EXEC);
	return 0;
}
