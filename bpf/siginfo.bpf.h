/* SPDX-License-Identifier: MIT */
/* What a siginfo of the kernel tells, read into the one of the wire. */
#ifndef SNOOP_SIGINFO_BPF_H
#define SNOOP_SIGINFO_BPF_H

#include "kernel.h"
#include "wire.h"

/*
 * Fills the zeroed `to`. False: there is nothing to read. A pointer that stands for no siginfo is found out by the read
 * that fails: verifiers before 6.13 take it for never NULL, and drop a comparison.
 */
static __always_inline bool read_siginfo(struct snoop_siginfo *to, const void *from)
{
	/* The part that programs see is laid out alike in the kernel: include/uapi/asm-generic/siginfo.h, on 64 bits. */
	struct {
		int code, pad, pid;
		__u32 uid;
	} part = {};

	if (bpf_probe_read_kernel(&part, sizeof(part), from + bpf_core_field_offset(struct kernel_siginfo, si_code)))
		return false;
	to->code = part.code;
	/* kernel/signal.c, __send_signal_locked: these three are signed, of the others the fields mean something else. */
	if (part.code == SI_USER || part.code == SI_TKILL || part.code == SI_QUEUE) {
		to->from = part.pid;
		to->from_uid = part.uid;
	}
	return true;
}

#define QUEUE_DEPTH_MAX 32

/* Finds the siginfo of a signal that waits in a queue, if its sender's signal left one there. */
static __always_inline bool find_waiting(struct snoop_siginfo *to, const void *pending, int sig)
{
	const void *head = pending + bpf_core_field_offset(struct sigpending, list);
	const struct list_head *at = head;

	for (int i = 0; i < QUEUE_DEPTH_MAX; i++) {
		at = BPF_CORE_READ(at, next);
		if (!at || at == head)
			return false;

		const struct sigqueue *queued = (const void *)at - bpf_core_field_offset(struct sigqueue, list);

		if (BPF_CORE_READ(queued, info.si_signo) != sig)
			continue;
		to->sig = sig;
		return read_siginfo(to, (const void *)queued + bpf_core_field_offset(struct sigqueue, info));
	}
	return false;
}

#endif
