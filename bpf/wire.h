/* SPDX-License-Identifier: MIT */
/*
 * The one binary interface between the probes and the recorder. bpf/generate.mjs reads it from the object's BTF
 * and writes wire.gen.ts; nobody types an offset.
 *
 * Rules: the fixed part first, 8-byte aligned, padding spelt out; no bitfields, pointers, long or bool; variable bytes
 * last, each with its length. Numbers of an enum are never used again. A typedef names what a number means.
 */
#ifndef SNOOP_WIRE_H
#define SNOOP_WIRE_H

typedef __u64 snoop_ktime;  /* nanoseconds of CLOCK_BOOTTIME */
typedef __s32 snoop_pid;    /* thread group id, initial pid namespace */
typedef __s32 snoop_tid;    /* thread id, initial pid namespace */
typedef __u32 snoop_uid;    /* user or group id, initial user namespace; 0xffffffff: not set */
typedef __u64 snoop_cgroup; /* kernfs id of the cgroup in the unified hierarchy */
typedef __s32 snoop_errno;  /* 0 or a negative errno */

#define SNOOP_COMM 16 /* include/linux/sched.h, TASK_COMM_LEN */

enum snoop_type {
	SNOOP_SIGNAL = 1,   /* struct ev_signal */
	SNOOP_ATTEMPT = 2,  /* struct ev_attempt */
	SNOOP_EXEC = 3,     /* struct ev_exec */
	SNOOP_FORK = 4,     /* struct ev_process */
	SNOOP_EXIT = 5,     /* struct ev_exit */
	SNOOP_OOM = 6,      /* struct ev_oom */
	SNOOP_SNAPSHOT = 7, /* struct ev_process, through the iterator, not through a lane */
	SNOOP_CGROUP = 8,   /* struct ev_cgroup */
	SNOOP_DELIVERY = 9, /* struct ev_delivery */
	SNOOP_TYPES = 16,   /* size of the counters, not a type */
};

enum snoop_lane {
	SNOOP_LETHAL = 0, /* what may have killed, and what died of it: a flood of the rest never pushes it out */
	SNOOP_BULK = 1,
	SNOOP_LANES = 2,
};

/* One bit per doubt about a record, and two facts about a file. The table exec keeps them as they are. */
enum snoop_flag {
	SNOOP_F_ARGS_CUT = 1,         /* more argument bytes than were copied */
	SNOOP_F_ARGS_UNREADABLE = 2,  /* the memory of the arguments could not be read */
	SNOOP_F_PATH_CUT = 4,         /* a path had more components or bytes than were copied */
	SNOOP_F_PATH_UNREADABLE = 8,  /* a path could not be read */
	SNOOP_F_MEMFD = 16,           /* the file was made by memfd_create(2) */
	SNOOP_F_DELETED = 32,         /* the file has no name any more */
};

/* What the target's signal handler table says; SNOOP_BLOCKED only when there is no handler. */
enum snoop_disposition {
	SNOOP_DEFAULT = 0,
	SNOOP_IGNORED = 1,
	SNOOP_HANDLED = 2,
	SNOOP_BLOCKED = 3,
};

/* State of the running task when a signal was generated. */
enum snoop_sender_state {
	SNOOP_S_EXITING = 1,  /* PF_EXITING */
	SNOOP_S_KTHREAD = 2,  /* PF_KTHREAD: a kernel thread, or the idle task */
	SNOOP_S_NS_INIT = 4,  /* exiting, and the first process of a pid namespace other than the initial one */
	SNOOP_S_BYSTANDER = 8, /* it runs, but the siginfo was made elsewhere: by a timer that interrupted it */
	SNOOP_S_CPU_LIMIT = 16, /* has used up its RLIMIT_CPU, the hard one */
	SNOOP_S_GROUP_ENDS = 32, /* exiting, and with it the whole process, not this thread alone */
};

/* A process: its pid alone is never an identity. */
struct snoop_key {
	snoop_ktime start; /* task_struct.start_boottime of the group leader */
	snoop_pid pid;
	snoop_tid tid;
};

struct snoop_header {
	enum snoop_type type;
	__u32 flags;          /* enum snoop_flag */
	snoop_ktime time;
	struct snoop_key key; /* the process that the record is about; of a signal, the running one */
};

/* What a siginfo tells of where its signal came from. */
struct snoop_siginfo {
	__u32 sig;      /* 0: there is none */
	__s32 code;     /* si_code */
	snoop_pid from; /* si_pid where a process signed, in the pid namespace of the one that got it; else 0 */
	snoop_uid from_uid;
};

/*
 * One signal to one real target: signal_generate. The running task is kept as a claim; whether it is the sender
 * is for the recorder to decide.
 */
struct ev_signal {
	struct snoop_header h;
	struct snoop_key target;
	char comm[SNOOP_COMM];
	char target_comm[SNOOP_COMM];
	snoop_uid uid;
	__s32 code;       /* si_code */
	__s32 syscall;    /* number of the system call in progress, -1: none; 64-bit numbering always */
	__s32 args[2];    /* its first two arguments */
	__u8 sig;
	__u8 result;      /* TRACE_SIGNAL_*: 0 delivered, 1 ignored, 2 already pending, 3 overflow, 4 information lost */
	__u8 group;       /* 1: to the process, 0: to one thread */
	__u8 disposition; /* enum snoop_disposition */
	__u8 sender;      /* enum snoop_sender_state */
	__u8 pdeathsig;   /* signal that the target asked to get when its parent dies; 0 also while the sender lives on */
	__u8 pad[6];
};

/* A signal took effect: signal_deliver. The header names the thread that took it. */
struct ev_delivery {
	struct snoop_header h;
	struct snoop_siginfo info;
	__u32 action; /* enum snoop_disposition: SNOOP_DEFAULT or SNOOP_HANDLED */
	__u32 pad;
};

/*
 * One call to a signal-sending system call of which signal_generate cannot tell: refused, signal 0, or aimed at a
 * group (that one closes the group: all its targets were of one call).
 */
struct ev_attempt {
	struct snoop_header h;
	struct snoop_key target; /* pid 0: not known here; then args may name it, in the initial pid namespace */
	char comm[SNOOP_COMM];
	snoop_uid uid;
	__s32 syscall;
	__s32 args[3];
	__s32 sig;
	snoop_errno result;
	__u32 ns_level; /* depth of the caller's pid namespace, 0: the initial one, where args are pids of the host */
};

/* One execve or execveat. data holds the five byte strings in the order of their lengths. */
struct ev_exec {
	struct snoop_header h;
	snoop_cgroup cgroup;
	__u64 inode;
	char comm[SNOOP_COMM];
	snoop_uid uid;
	snoop_uid gid;
	snoop_uid euid;
	snoop_uid egid;
	snoop_uid loginuid;
	__u32 session;      /* audit session, 0xffffffff: none */
	__u32 device;       /* super_block.s_dev */
	__u32 tty;          /* device number, 0: no terminal */
	snoop_tid old_tid;  /* the calling thread's id before the exec */
	snoop_errno result;
	__u32 args_bytes;   /* all of them, copied or not */
	__u32 exe_bytes;    /* path components, leaf first, each NUL-terminated */
	__u32 cwd_bytes;    /* the same */
	__u32 filename_bytes;
	__u32 interp_bytes;
	__u32 argv_bytes;   /* copied: NUL-terminated strings */
	__u8 data[];
};

/* A new process, or one that was there before the recorder. */
struct ev_process {
	struct snoop_header h;
	struct snoop_key parent;
	snoop_cgroup cgroup;
	char comm[SNOOP_COMM];
	snoop_uid uid;
	snoop_pid ns_pid; /* inside its own pid namespace */
	__u32 ns_level;
	__u32 kthread;
};

/* The last thread of a process ended. */
struct ev_exit {
	struct snoop_header h;
	struct snoop_key parent;
	snoop_cgroup cgroup;
	__u64 utime; /* nanoseconds */
	__u64 stime;
	__u64 max_rss_pages;
	char comm[SNOOP_COMM];
	snoop_uid uid;
	__s32 status; /* as wait(2) reports it */
	struct snoop_siginfo info; /* of the signal that ended it, if that still waited in a queue */
};

/* The kernel chose a victim: oom:mark_victim. The header names who asked for memory. */
struct ev_oom {
	struct snoop_header h;
	struct snoop_key victim;
	snoop_cgroup cgroup; /* of the victim */
	__s64 anon_pages; /* resident, of the victim; -1: it had no memory any more */
	__s64 file_pages;
	__s64 shmem_pages;
	char comm[SNOOP_COMM]; /* of the victim */
	snoop_uid uid;
	__s32 oom_score_adj;
	__u32 memcg_bytes; /* path components of the memory cgroup, leaf first, each NUL-terminated */
	__u32 pad;
	__u8 data[];
};

/* A cgroup of the unified hierarchy was made. */
struct ev_cgroup {
	struct snoop_header h;
	snoop_cgroup id;
	__u32 path_bytes;
	__u32 pad;
	__u8 data[];
};

enum snoop_piece_mark {
	SNOOP_PIECE = 0x65636970, /* no type is so large */
};

/* Before each piece of a record that is longer than a perf event may be. The pieces of a CPU come in one go. */
struct snoop_piece {
	enum snoop_piece_mark mark;
	__u32 length; /* bytes of the record in this piece */
	__u32 left;   /* the same, and of those that follow */
	__u32 pad;
};

/* Counted per CPU where it happens, read by the recorder: seen = written to a lane + lost. */
struct snoop_counters {
	__u64 seen[SNOOP_LANES][SNOOP_TYPES];
	__u64 lost[SNOOP_LANES][SNOOP_TYPES];
};

#endif
