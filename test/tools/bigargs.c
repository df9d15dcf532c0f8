/* SPDX-License-Identifier: MIT */
/*
 * Becomes /bin/true with arguments that are odd by their size. Prints pid, and bytes: what they take, every NUL counted.
 *   long BYTES    as many arguments of 100,000 bytes as make up BYTES
 *   many COUNT    COUNT arguments, 0, 1, 2 …
 *   empty         one that is the empty string
 *   none          no argument at all, not even a name: argv is {NULL}
 *   null          argv itself is NULL
 *   toolong BYTES one argument of BYTES, too long for the kernel from 128 KiB on; prints errno
 */
#include "tool.h"
#include <sys/resource.h>

static char *filled(size_t length)
{
	char *text = malloc(length + 1);

	memset(text, 'x', length);
	text[length] = 0;
	return text;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[2]) : 0, count = 1;
	char *no_environment[] = { NULL };
	char **args = NULL;

	/* The kernel takes a quarter of the stack limit for arguments (fs/exec.c, bprm_stack_limits). */
	setrlimit(RLIMIT_STACK, &(struct rlimit){ 64 << 20, RLIM_INFINITY });
	if (!strcmp(how, "long"))
		count = n / 100000 + 1;
	else if (!strcmp(how, "many"))
		count = n;
	args = calloc(count + 1, sizeof(*args));
	args[0] = "true";
	for (long i = 1; i < count; i++)
		if (!strcmp(how, "long"))
			args[i] = filled(99999);
		else if (asprintf(&args[i], "%ld", i) < 0)
			die("asprintf");
	if (!strcmp(how, "empty"))
		args[0] = "";
	else if (!strcmp(how, "none"))
		args[0] = NULL;
	else if (!strcmp(how, "toolong"))
		args[0] = filled(n - 1);
	long bytes = 0;

	for (char **arg = args; *arg; arg++)
		bytes += strlen(*arg) + 1;
	say("pid=%d", getpid());
	say("bytes=%ld", bytes);
	syscall(SYS_execve, "/bin/true", strcmp(how, "null") ? args : NULL, no_environment);
	say("errno=%s", strerrorname_np(errno));
	return 0;
}
