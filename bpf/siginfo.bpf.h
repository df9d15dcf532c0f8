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
	int code = 0;

	if (bpf_probe_read_kernel(&code, sizeof(code), from + bpf_core_field_offset(struct kernel_siginfo, si_code)))
		return false;
	to->code = code;
	/* kernel/signal.c, __send_signal_locked: these three are signed, of the others the fields mean something else. */
	if (code == SI_USER || code == SI_TKILL || code == SI_QUEUE) {
		const void *fields = from + bpf_core_field_offset(struct kernel_siginfo, _sifields);
		struct {
			int pid;
			__u32 uid;
		} signer = {};

		bpf_probe_read_kernel(&signer, sizeof(signer), fields);
		to->from = signer.pid;
		to->from_uid = signer.uid;
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
