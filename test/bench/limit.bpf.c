// SPDX-License-Identifier: MIT
/*
 * The least that a recorder in BPF can cost: on the hooks that snooprec has, a program that counts, or that writes a record
 * as long as snooprec's with the time and the names in it. What snooprec costs beyond that is its own.
 */
#include <stdbool.h>
#include "kernel.h"
#include "wire.h"

const volatile bool writes = false;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring SEC(".maps");

struct count {
	__u64 seen;
	__u64 lost;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct count);
} counts SEC(".maps");

static __always_inline int take(enum snoop_type type, const __u64 bytes)
{
	__u32 zero = 0;
	struct count *count = bpf_map_lookup_elem(&counts, &zero);

	if (!count)
		return 0;
	count->seen++;
	if (!writes)
		return 0;

	struct snoop_header *header = bpf_ringbuf_reserve(&ring, bytes, 0);

	if (!header) {
		count->lost++;
		return 0;
	}
	__builtin_memset(header, 0, bytes);
	header->type = type;
	header->time = bpf_ktime_get_boot_ns();
	header->key.pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(header + 1, SNOOP_COMM);
	bpf_ringbuf_submit(header, 0);
	return 0;
}

SEC("tp/syscalls/sys_exit_kill")
int calls(void *ctx)
{
	return take(SNOOP_ATTEMPT, sizeof(struct ev_attempt));
}

/* What the hook costs where there is nothing to tell: of a call that sent its signal. */
SEC("tp/syscalls/sys_exit_kill")
int others(struct { __u64 common; __s64 nr; __s64 result; } *ctx)
{
	return ctx->result < 0 ? take(SNOOP_ATTEMPT, sizeof(struct ev_attempt)) : 0;
}

SEC("tp_btf/signal_generate")
int BPF_PROG(signals)
{
	return take(SNOOP_SIGNAL, sizeof(struct ev_signal));
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(execs)
{
	return take(SNOOP_EXEC, sizeof(struct ev_exec));
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(forks)
{
	return take(SNOOP_FORK, sizeof(struct ev_process));
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exits)
{
	return take(SNOOP_EXIT, sizeof(struct ev_exit));
}

char LICENSE[] SEC("license") = "GPL";
