/* SPDX-License-Identifier: MIT */
/*
 * Runs a command while the kernel measures its BPF programs (BPF_ENABLE_STATS), and prints what the command said, and then
 * of each program whose name begins with PREFIX how often it ran meanwhile and how many nanoseconds that took.
 */
#include "../tools/tool.h"
#include <linux/bpf.h>

#define PROGRAMS_MAX 512

struct program {
	char name[BPF_OBJ_NAME_LEN];
	unsigned int id;
	unsigned long long runs, ns;
};

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* The programs of that name that there are now. */
static int look(const char *prefix, struct program *found)
{
	int n = 0;

	for (unsigned int id = 0; n < PROGRAMS_MAX;) {
		union bpf_attr next = { .start_id = id };

		if (bpf(BPF_PROG_GET_NEXT_ID, &next))
			return n;
		id = next.next_id;

		union bpf_attr open = { .prog_id = id };
		int fd = bpf(BPF_PROG_GET_FD_BY_ID, &open);
		struct bpf_prog_info info = { 0 };
		union bpf_attr ask = { .info = { .bpf_fd = fd, .info_len = sizeof(info), .info = (__u64)(unsigned long)&info } };

		if (fd < 0)
			continue; /* it is gone already */
		if (!bpf(BPF_OBJ_GET_INFO_BY_FD, &ask) && !strncmp(info.name, prefix, strlen(prefix))) {
			found[n] = (struct program){ .id = id, .runs = info.run_cnt, .ns = info.run_time_ns };
			memcpy(found[n++].name, info.name, BPF_OBJ_NAME_LEN);
		}
		close(fd);
	}
	return n;
}

int main(int argc, char **argv)
{
	static struct program before[PROGRAMS_MAX], after[PROGRAMS_MAX];
	union bpf_attr run_time = { .enable_stats = { .type = BPF_STATS_RUN_TIME } };
	int status;

	if (argc < 3)
		usage("profile PREFIX COMMAND…");
	if (bpf(BPF_ENABLE_STATS, &run_time) < 0) /* until this process ends */
		die("BPF_ENABLE_STATS");
	int n = look(argv[1], before);
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (child == 0) {
		execv(argv[2], argv + 2);
		die(argv[2]);
	}
	if (waitpid(child, &status, 0) < 0 || status != 0)
		die("the command failed");
	int m = look(argv[1], after);

	for (int i = 0; i < m; i++) {
		for (int k = 0; k < n; k++) {
			if (before[k].id != after[i].id || before[k].runs == after[i].runs)
				continue;
			say("runs_%s=%llu", after[i].name, after[i].runs - before[k].runs);
			say("ns_%s=%llu", after[i].name, after[i].ns - before[k].ns);
		}
	}
	return 0;
}
