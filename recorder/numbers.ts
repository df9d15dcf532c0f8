/** Numbers of the kernel's interface that decisions need; names for people are in the database. */

import { arch } from 'node:process';

/** signal(7), x86-64 and arm64. */
export const SIG = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  SEGV: 11,
  PIPE: 13,
  ALRM: 14,
  CHLD: 17,
  CONT: 18,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  SYS: 31,
} as const;

/** System calls of this architecture: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h. */
export const SYSCALL =
  arch === 'arm64'
    ? {
        write: 64,
        pwrite64: 68,
        writev: 66,
        kill: 129,
        tkill: 130,
        tgkill: 131,
        rt_sigqueueinfo: 138,
        rt_tgsigqueueinfo: 240,
        pidfd_send_signal: 424,
      }
    : {
        write: 1,
        pwrite64: 18,
        writev: 20,
        kill: 62,
        tkill: 200,
        tgkill: 234,
        rt_sigqueueinfo: 129,
        rt_tgsigqueueinfo: 297,
        pidfd_send_signal: 424,
      };

/** The processors of a list like 0-3,5,8-9 (cpuset(7), list format). */
export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .filter(part => part !== '')
    .flatMap(part => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}
