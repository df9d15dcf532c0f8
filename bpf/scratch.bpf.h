/* SPDX-License-Identifier: MIT */
/*
 * Scratch memory of a CPU, where a record of variable size is put together before it is copied into a lane; and the
 * things that are put there: strings and paths.
 *
 * An array with an entry per CPU, because a per-CPU map holds at most 32 KiB a value (mm/percpu.c, PCPU_MIN_UNIT_SIZE).
 * The number of bytes so far stands in the scratch and not in a variable: so the verifier forgets it between the steps
 * of a loop, and one step looks like the next. Otherwise it follows every possible length and gives up.
 */
#ifndef SNOOP_SCRATCH_BPF_H
#define SNOOP_SCRATCH_BPF_H

#include "snoop.bpf.h"

#define ARGS_MAX (128 << 10)
#define PATH_BYTES_MAX 4096 /* include/uapi/linux/limits.h, PATH_MAX */
#define NAME_BYTES_MAX 256  /* NAME_MAX and a NUL */
#define PATH_DEPTH_MAX 64
#define TEXT_MAX (5 * PATH_BYTES_MAX) /* fixed part, exe, cwd, filename, interpreter: what comes before the arguments */

/* perf_event_header.size is a u16, so a record for a perf lane may have to be cut into pieces. */
#define PIECE_BYTES (60 << 10)
#define PIECES_MAX 3

struct scratch {
	__u32 at; /* bytes of the record so far */
	__u32 pad;
	__u8 before[sizeof(struct snoop_piece)]; /* room for what goes before a piece */
	__u8 record[TEXT_MAX + ARGS_MAX + PATH_BYTES_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps") __weak;

/* A record of `size` zeroed fixed bytes to put together, or NULL: then it is counted as lost. */
static __always_inline struct scratch *scratch_begin(enum snoop_lane lane, enum snoop_type type, const __u32 size)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct scratch *s = bpf_map_lookup_elem(&scratch, &cpu);

	if (!s) {
		snoop_count(lane, type, true);
		return 0;
	}
	__builtin_memset(s->record, 0, size);
	s->at = size;
	return s;
}

/* What goes before a piece is written over the end of the one before, which is on its way already. */
static __always_inline long scratch_submit_pieces(void *ctx, struct scratch *s, enum snoop_lane lane, __u32 at)
{
#pragma unroll
	for (__u32 i = 0; i < PIECES_MAX; i++) {
		__u32 from = i * PIECE_BYTES;

		if (at <= from)
			break;
		struct snoop_piece *piece = (void *)s->before + from;
		__u32 left = at - from;
		__u32 bytes = left < PIECE_BYTES ? left : PIECE_BYTES;

		piece->mark = SNOOP_PIECE;
		piece->length = bytes;
		piece->left = left;
		piece->pad = 0;
		__u64 size = sizeof(*piece) + bytes;

		/* Linux 6.1 forgets the bounds of what was computed in 32 bits: shown again, where clang cannot take them away. */
		barrier_var(size);
		if (size > sizeof(*piece) + PIECE_BYTES)
			return -1;
		long error = snoop_perf_output(ctx, lane, piece, size);

		if (error)
			return error;
	}
	return 0;
}

static __always_inline void scratch_submit(void *ctx, struct scratch *s, enum snoop_lane lane, enum snoop_type type)
{
	__u32 at = s->at;

	if (at > sizeof(s->record))
		return;
	if (knobs.transport == TRANSPORT_PERF && at > PIECE_BYTES)
		snoop_count(lane, type, scratch_submit_pieces(ctx, s, lane, at) != 0);
	else
		snoop_output(ctx, lane, type, s->record, at);
}

/* Appends a NUL-terminated string of the kernel. Returns its bytes, the NUL counted; 0 if it could not be read. */
static __always_inline __u32 append_string(struct scratch *s, __u32 max, const void *string)
{
	__u32 at = s->at;

	if (at > TEXT_MAX)
		return 0;
	long n = bpf_probe_read_kernel_str(s->record + at, max, string);

	if (n <= 0)
		return 0;
	s->at = at + n;
	return n;
}

/* The same for a string of the process. */
static __always_inline __u32 append_user_string(struct scratch *s, __u32 max, const void *string)
{
	__u32 at = s->at;

	if (at > TEXT_MAX + ARGS_MAX)
		return 0;
	long n = bpf_probe_read_user_str(s->record + at, max, string);

	if (n <= 0)
		return 0;
	s->at = at + n;
	return n;
}

/*
 * A dentry without parent that no mount has as its root: a file that lives in memory only has its name there
 * (fs/dcache.c, d_alloc_pseudo); of others it is "/".
 */
static __always_inline void append_lone_name(struct scratch *s, struct dentry *dentry)
{
	const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
	char first = '/';

	bpf_probe_read_kernel(&first, sizeof(first), name);
	if (first != '/')
		append_string(s, NAME_BYTES_MAX, name);
}

/*
 * Appends the components of a path, leaf first, each with its NUL: up through the dentries and across the mounts to
 * the root of the mount namespace. A root directory is no component at all. bpf_d_path() would do it, but is not
 * allowed in these hooks.
 */
static __always_inline __u32 append_path(struct scratch *s, const struct path *path, __u32 *flags)
{
	struct dentry *dentry = BPF_CORE_READ(path, dentry);
	struct vfsmount *vfsmount = BPF_CORE_READ(path, mnt);
	__u32 start = s->at;

	for (int i = 0; i < PATH_DEPTH_MAX; i++) {
		struct dentry *root = BPF_CORE_READ(vfsmount, mnt_root);
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

		if (dentry == parent && dentry != root) {
			append_lone_name(s, dentry);
			return s->at - start;
		}
		if (dentry == root) {
			struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
			struct mount *above = BPF_CORE_READ(mount, mnt_parent);

			if (above == mount || !above)
				return s->at - start;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			vfsmount = (void *)above + bpf_core_field_offset(struct mount, mnt);
			continue;
		}
		if (s->at - start > PATH_BYTES_MAX - NAME_BYTES_MAX)
			break;
		if (!append_string(s, NAME_BYTES_MAX, BPF_CORE_READ(dentry, d_name.name))) {
			*flags |= SNOOP_F_PATH_UNREADABLE;
			return s->at - start;
		}
		dentry = parent;
	}
	*flags |= SNOOP_F_PATH_CUT;
	return s->at - start;
}

/* The same for a node of kernfs, where the path of a cgroup is. */
static __always_inline __u32 append_kernfs_path(struct scratch *s, struct kernfs_node *node, __u32 *flags)
{
	__u32 start = s->at;

	for (int i = 0; i < PATH_DEPTH_MAX; i++) {
		struct kernfs_node *parent = kernfs_parent(node);

		if (!parent)
			return s->at - start;
		if (s->at - start > PATH_BYTES_MAX - NAME_BYTES_MAX)
			break;
		append_string(s, NAME_BYTES_MAX, BPF_CORE_READ(node, name));
		node = parent;
	}
	*flags |= SNOOP_F_PATH_CUT;
	return s->at - start;
}

#endif
