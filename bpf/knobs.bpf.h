/* SPDX-License-Identifier: MIT */
/*
 * The knobs: what the recorder decides before it loads the object. They lie in a section that is frozen then, so the
 * verifier knows their values, follows only the branches that they choose, and cuts the others out of the program.
 */
#ifndef SNOOP_KNOBS_BPF_H
#define SNOOP_KNOBS_BPF_H

#include <linux/types.h>

enum snoop_scope {
	SCOPE_MACHINE = 0,
	SCOPE_CGROUPS = 1, /* sender or target below one of scope_cgroups */
	SCOPE_TREE = 2,    /* descendants of the processes marked in scope_tree */
};

#define SCOPE_CGROUPS_MAX 8

struct snoop_scope_cgroup {
	__u64 id;
	__u32 level; /* depth below the root of the hierarchy */
	__u32 pad;
};

/* Where a probe finds the system call in progress. */
enum snoop_capture {
	CAPTURE_REGS = 0, /* in the saved registers of the task: bpf_task_pt_regs(), since 5.15 */
	CAPTURE_HASH = 1, /* in a hash map that the entry of the call fills. Nothing that is newer than 5.8 is used then */
};

/* What the lanes are made of. */
enum snoop_transport {
	TRANSPORT_RING = 0, /* a ring buffer each, since 5.8 */
	TRANSPORT_PERF = 1, /* a perf event array each: a buffer per CPU */
};

struct snoop_knobs {
	__u32 scope; /* enum snoop_scope */
	__u32 scope_cgroups;
	struct snoop_scope_cgroup scope_cgroup[SCOPE_CGROUPS_MAX];
	__u32 args_bytes; /* argument bytes kept per exec, at most ARGS_MAX */
	__u32 capture;    /* enum snoop_capture */
	__u32 transport;  /* enum snoop_transport */
	__u32 count_syscalls; /* count the system calls of each user */
};

extern const volatile struct snoop_knobs knobs;

#endif
