// SPDX-License-Identifier: MIT
/*
 * iter/task, read once when the recorder starts: the processes that were there before us, with start times that
 * /proc only tells to the hundredth of a second. Kernel threads too: they send signals.
 */
#include "process.bpf.h"

SEC("iter/task")
int on_snapshot(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (!task || task->pid != task->tgid || !in_scope(task))
		return 0;

	struct ev_process ev = {};

	process_fill(&ev, SNOOP_SNAPSHOT, task);
	bpf_seq_write(ctx->meta->seq, &ev, sizeof(ev));
	return 0;
}
