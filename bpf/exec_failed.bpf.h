/* SPDX-License-Identifier: MIT */
/*
 * A failed execve or execveat, at its end. The old image is still there, so are the strings that it passed; each
 * lies where the program put it, so they are read one by one.
 */
#ifndef SNOOP_EXEC_FAILED_BPF_H
#define SNOOP_EXEC_FAILED_BPF_H

#include "exec.bpf.h"
#include "call.bpf.h"

#define FAILED_ARGS_MAX 256        /* strings */
#define FAILED_ARG_BYTES_MAX 4096  /* of one string */

static __always_inline void add_argv_strings(struct scratch *s, struct ev_exec *ev, const char *const *argv)
{
	__u32 start = s->at;

	for (int i = 0; i < FAILED_ARGS_MAX; i++) {
		const char *arg = 0;

		if (bpf_probe_read_user(&arg, sizeof(arg), argv + i)) {
			ev->h.flags |= SNOOP_F_ARGS_UNREADABLE;
			goto out;
		}
		if (!arg)
			goto out;
		__u32 n = append_user_string(s, FAILED_ARG_BYTES_MAX, arg);

		if (!n) {
			ev->h.flags |= SNOOP_F_ARGS_UNREADABLE;
			goto out;
		}
		if (n == FAILED_ARG_BYTES_MAX)
			ev->h.flags |= SNOOP_F_ARGS_CUT;
	}
	ev->h.flags |= SNOOP_F_ARGS_CUT;
out:
	ev->args_bytes = ev->argv_bytes = s->at - start;
}

static __always_inline void exec_failed(void *ctx, const struct task_struct *task, const struct call *call, int result)
{
	struct scratch *s = scratch_begin(SNOOP_BULK, SNOOP_EXEC, sizeof(struct ev_exec));

	if (!s)
		return;

	struct ev_exec *ev = (void *)s->record;
	bool at_call = call->nr == SYS_execveat; /* execveat(dirfd, filename, argv, …) */
	const char *filename = (void *)(at_call ? call->args[1] : call->args[0]);
	const char *const *argv = (void *)(at_call ? call->args[2] : call->args[1]);

	exec_caller(ev, task);
	ev->result = result;
	ev->cwd_bytes = append_path(s, (void *)READ(task, fs) + bpf_core_field_offset(struct fs_struct, pwd), &ev->h.flags);
	ev->filename_bytes = append_user_string(s, PATH_BYTES_MAX, filename);
	if (!ev->filename_bytes)
		ev->h.flags |= SNOOP_F_PATH_UNREADABLE;
	add_argv_strings(s, ev, argv);
	scratch_submit(ctx, s, SNOOP_BULK, SNOOP_EXEC);
}

#endif
