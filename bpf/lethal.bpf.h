/* SPDX-License-Identifier: MIT */
/* Which signals end a process that does nothing about them. */
#ifndef SNOOP_LETHAL_BPF_H
#define SNOOP_LETHAL_BPF_H

#include <stdbool.h>

#define SIGKILL 9
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGWINCH 28
#define BIT(sig) (1ULL << (sig))

/* signal(7): all others end the process unless it does something about them. */
#define HARMLESS (BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU) \
	| BIT(SIGURG) | BIT(SIGWINCH))

/* Whether the default action of a signal between 1 and 64 ends the process. */
static __always_inline bool is_lethal(int sig)
{
	return sig >= 32 || !(HARMLESS & BIT(sig));
}

#endif
