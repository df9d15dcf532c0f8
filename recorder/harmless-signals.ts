/** What signals may do to a recorder: nothing, but for those that end it. */

import { constants } from 'node:os';
import { ignoreSignal } from './libc.js';

/** By it setuid(2) of the C library reaches the other threads; its handler does nothing when anybody else sends it (glibc, nptl/nptl-stack.h). */
const SIGSETXID = 33;

/** Node opens a debugger port on SIGUSR1 unless someone handles it: a root shell for anyone on the machine. */
export function keepSignalsHarmless(): void {
  for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGHUP', 'SIGPIPE'] as const) process.on(signal, () => {});
}

/** Nothing but SIGTERM, SIGINT and SIGKILL ends a recorder. Not for `run`: its command would inherit what is ignored. */
export function ignoreOtherSignals(): void {
  const { SIGHUP, SIGINT, SIGKILL, SIGUSR1, SIGUSR2, SIGPIPE, SIGTERM, SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP } =
    constants.signals;
  const others = [
    SIGHUP,
    SIGINT,
    SIGKILL,
    SIGUSR1,
    SIGUSR2,
    SIGPIPE,
    SIGTERM,
    SIGCHLD,
    SIGCONT,
    SIGSTOP,
    SIGTSTP,
  ];
  for (let signal = 1; signal <= 64; signal++)
    if (!others.includes(signal) && signal !== SIGSETXID) ignoreSignal(signal);
}
