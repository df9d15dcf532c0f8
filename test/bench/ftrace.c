/* SPDX-License-Identifier: MIT */
/*
 * A peer of the bench: raw ftrace, spliced into a file for each processor, as `trace-cmd record` does it. It writes what the
 * kernel writes and understands nothing of it, so nothing that goes through tracepoints and a file can be cheaper. It has an
 * instance of its own (Documentation/trace/ftrace.rst) and takes it away. SIGINT or SIGTERM ends it; then it prints
 * the entries that it got and those that were overwritten before.
 */
#include "../tools/tool.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>

#define INSTANCES "/sys/kernel/tracing/instances"
#define PAGE 4096

static char instance[64];
static volatile int ending;

static int open_at(int flags, const char *format, ...)
{
	char name[PATH_MAX];
	int at = snprintf(name, sizeof(name), "%s/", instance);
	va_list args;

	va_start(args, format);
	vsnprintf(name + at, sizeof(name) - at, format, args);
	va_end(args);
	int fd = open(name, flags | O_CLOEXEC);

	if (fd < 0) {
		perror(name);
		rmdir(instance);
		exit(2);
	}
	return fd;
}

static void put(const char *value, const char *file)
{
	int fd = open_at(O_WRONLY, "%s", file);

	if (write(fd, value, strlen(value)) < 0) {
		perror(file);
		rmdir(instance);
		exit(2);
	}
	close(fd);
}

struct reader {
	pthread_t thread;
	int cpu;
	const char *directory;
};

static void *copy(void *arg)
{
	struct reader *reader = arg;
	char name[PATH_MAX];
	int pipes[2];
	int from = open_at(O_RDONLY | O_NONBLOCK, "per_cpu/cpu%d/trace_pipe_raw", reader->cpu);

	snprintf(name, sizeof(name), "%s/cpu%d.raw", reader->directory, reader->cpu);
	int to = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (to < 0 || pipe(pipes) != 0)
		die(name);
	for (;;) {
		int last = ending; /* read before the buffer: what is written later is not ours */
		ssize_t bytes = splice(from, NULL, pipes[1], NULL, 16 * PAGE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

		if (bytes > 0) {
			while (bytes > 0) {
				ssize_t moved = splice(pipes[0], NULL, to, NULL, bytes, SPLICE_F_MOVE);

				if (moved <= 0)
					die("splice");
				bytes -= moved;
			}
			continue;
		}
		if (last)
			break;
		struct pollfd ready = { .fd = from, .events = POLLIN };

		poll(&ready, 1, 100);
	}
	close(to);
	close(from); /* the instance cannot go before */
	return NULL;
}

static long stat_of(int cpu, const char *key)
{
	char text[1024] = "";
	int fd = open_at(O_RDONLY, "per_cpu/cpu%d/stats", cpu);

	if (read(fd, text, sizeof(text) - 1) < 0)
		die("stats");
	close(fd);
	char *at = strstr(text, key);

	return at ? atol(at + strlen(key)) : 0;
}

int main(int argc, char **argv)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	struct reader readers[cpus];
	sigset_t ends;
	int sig;

	if (argc < 4)
		usage("ftrace DIRECTORY KILOBYTES SYSTEM:EVENT…");
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	snprintf(instance, sizeof(instance), "%s/snooprec-bench-%d", INSTANCES, getpid());
	if (mkdir(instance, 0700) != 0)
		die(instance);
	put(argv[2], "buffer_size_kb");
	for (int i = 3; i < argc; i++)
		put(argv[i], "set_event");
	for (int i = 0; i < cpus; i++) {
		readers[i] = (struct reader){ .cpu = i, .directory = argv[1] };
		if (pthread_create(&readers[i].thread, NULL, copy, &readers[i]) != 0)
			die("pthread_create");
	}
	say("ready=1");
	sigwait(&ends, &sig);
	put("0", "tracing_on");
	ending = 1;
	for (int i = 0; i < cpus; i++)
		pthread_join(readers[i].thread, NULL);
	long read = 0, left = 0, overrun = 0;

	for (int i = 0; i < cpus; i++) {
		read += stat_of(i, "read events: ");
		left += stat_of(i, "entries: ");
		overrun += stat_of(i, "overrun: ") + stat_of(i, "dropped events: ");
	}
	say("read=%ld", read);
	say("left=%ld", left); /* on the page that was not full: they can be read, too */
	say("overrun=%ld", overrun);
	put("", "set_event");
	if (rmdir(instance) != 0)
		die(instance);
}
