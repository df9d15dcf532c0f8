/* SPDX-License-Identifier: MIT */
/*
 * The lanes, the counters, and the way of a record into a lane:
 *
 *     struct ev_x *ev = snoop_reserve(SNOOP_BULK, SNOOP_X, sizeof(*ev));   zeroed, or NULL and counted as lost
 *     if (!ev) return 0;
 *     …
 *     snoop_submit(ctx, SNOOP_BULK, ev, sizeof(*ev));
 *
 * A lane is a ring buffer, or where the kernel has none a perf event array. Of the two only the one that the knob
 * `transport` chooses is made; what names the other is cut out by the verifier.
 */
#ifndef SNOOP_LANE_BPF_H
#define SNOOP_LANE_BPF_H

#include <stdbool.h>
#include "kernel.h"
#include "knobs.bpf.h"
#include "wire.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} lane_lethal SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} lane_bulk SEC(".maps") __weak;

/*
 * Two perf events per CPU, on one buffer that the recorder maps into its memory: at 2 * cpu a silent one, at 2 * cpu + 1
 * one that wakes the recorder at each record.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} perf_lethal SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} perf_bulk SEC(".maps") __weak;

/*
 * Whether the recorder sleeps: it says so itself, in memory that it maps. A wake-up is an interrupt that the CPU sends
 * itself, measured 3 us in the probe and more after it; so there are none while it is awake.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} asleep SEC(".maps") __weak;

#define SLOT_BYTES 256

/*
 * Where a record of fixed size is put together for a perf lane, which can only copy. One slot for each type, since a
 * signal that an interrupt sends may come while another probe fills its record; no probe interrupts itself.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SNOOP_TYPES);
	__type(key, __u32);
	__type(value, __u8[SLOT_BYTES]);
} slots SEC(".maps") __weak;

/* One entry per CPU; the recorder maps it into its memory, so reading it needs no system call and no capability. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct snoop_counters);
} counters SEC(".maps") __weak;

static __always_inline struct snoop_counters *snoop_counters_of_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&counters, &cpu);
}

static __always_inline void snoop_count(enum snoop_lane lane, enum snoop_type type, bool lost)
{
	struct snoop_counters *c = snoop_counters_of_cpu();

	if (!c)
		return;
	c->seen[lane][type]++;
	if (lost)
		c->lost[lane][type]++;
}

/* A record that was counted as seen did not find its way after all. */
static __always_inline void snoop_count_lost(enum snoop_lane lane, enum snoop_type type)
{
	struct snoop_counters *c = snoop_counters_of_cpu();

	if (c && type < SNOOP_TYPES)
		c->lost[lane][type]++;
}

static __always_inline long snoop_perf_output(void *ctx, enum snoop_lane lane, void *record, __u64 size)
{
	__u32 zero = 0, *sleeps = bpf_map_lookup_elem(&asleep, &zero);
	__u64 event = 2 * bpf_get_smp_processor_id() + (sleeps && *sleeps ? 1 : 0);

	return lane == SNOOP_LETHAL ? bpf_perf_event_output(ctx, &perf_lethal, event, record, size)
				    : bpf_perf_event_output(ctx, &perf_bulk, event, record, size);
}

/* A zeroed record of fixed size for a lane, or NULL: then it is counted as lost. */
static __always_inline void *snoop_reserve(enum snoop_lane lane, enum snoop_type type, const __u64 size)
{
	__u32 slot = type;
	void *record;

	if (knobs.transport == TRANSPORT_PERF)
		record = bpf_map_lookup_elem(&slots, &slot);
	else
		record = lane == SNOOP_LETHAL ? bpf_ringbuf_reserve(&lane_lethal, size, 0)
					      : bpf_ringbuf_reserve(&lane_bulk, size, 0);

	snoop_count(lane, type, !record);
	if (record)
		__builtin_memset(record, 0, size);
	return record;
}

/*
 * Gives a reserved record to its lane. Without flags a ring buffer wakes the recorder only when it had read everything
 * before this record (kernel/bpf/ringbuf.c, bpf_ringbuf_commit). It gives nothing back before its batch is stored, so
 * that is once a batch, and never in a storm.
 */
static __always_inline void snoop_submit(void *ctx, enum snoop_lane lane, void *record, const __u64 size)
{
	if (knobs.transport == TRANSPORT_RING)
		bpf_ringbuf_submit(record, 0);
	else if (snoop_perf_output(ctx, lane, record, size))
		snoop_count_lost(lane, ((struct snoop_header *)record)->type);
}

/* A record of variable size, copied from memory of ours. */
static __always_inline void snoop_output(void *ctx, enum snoop_lane lane, enum snoop_type type, void *record, __u64 size)
{
	long error;

	if (knobs.transport == TRANSPORT_PERF)
		error = snoop_perf_output(ctx, lane, record, size);
	else
		error = lane == SNOOP_LETHAL ? bpf_ringbuf_output(&lane_lethal, record, size, 0)
					     : bpf_ringbuf_output(&lane_bulk, record, size, 0);
	snoop_count(lane, type, error != 0);
}

#endif
