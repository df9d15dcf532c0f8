/* SPDX-License-Identifier: MIT */
/*
 * Loads limit.bpf.o, which lies beside this program, and attaches the programs of it that are named. With `record` it reads
 * what they write, 20 times a second as snooprec does, and forgets it. SIGINT or SIGTERM ends it; then it prints how many
 * events there were, and how many the ring had no room for.
 */
#include "../tools/tool.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <limits.h>
#include <stdbool.h>

#define GATHER_MS 50

struct count {
	unsigned long long seen, lost;
};

static int forget(void *context, void *record, size_t bytes)
{
	(void)context;
	(void)record;
	(void)bytes;
	return 0;
}

static struct bpf_object *load(const char *self, bool writes)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s.bpf.o", self);
	struct bpf_object *object = bpf_object__open(path);

	if (!object)
		die(path);
	if (bpf_map__set_initial_value(bpf_object__find_map_by_name(object, ".rodata"), &writes, sizeof(writes)))
		die("writes");
	if (bpf_object__load(object))
		die("load");
	return object;
}

static void report(struct bpf_object *object)
{
	int cpus = libbpf_num_possible_cpus();
	struct count counts[cpus], sum = { 0 };
	unsigned int zero = 0;

	if (bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(object, "counts"), &zero, counts))
		die("counts");
	for (int cpu = 0; cpu < cpus; cpu++) {
		sum.seen += counts[cpu].seen;
		sum.lost += counts[cpu].lost;
	}
	say("seen=%llu", sum.seen);
	say("lost=%llu", sum.lost);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		usage("limit count|record PROGRAM…");

	bool writes = !strcmp(argv[1], "record");
	const struct timespec gather = { 0, GATHER_MS * 1000000 };
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	struct bpf_object *object = load(argv[0], writes);
	struct ring_buffer *ring = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "ring"), forget, NULL, NULL);

	if (!ring)
		die("ring");
	for (int i = 2; i < argc; i++) {
		struct bpf_program *program = bpf_object__find_program_by_name(object, argv[i]);

		if (!program || !bpf_program__attach(program))
			die(argv[i]);
	}
	say("ready=1");
	while (sigtimedwait(&ends, NULL, &gather) < 0)
		if (writes)
			ring_buffer__consume(ring);
	report(object);
}
