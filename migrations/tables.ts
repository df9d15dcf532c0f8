/** The tables of a recording by what a segment does with them. Their columns: the numbered files beside this one. */

/** What was recorded when. */
export const LEDGER = ['recording', 'coverage'] as const;
/** What rows refer to. */
export const TEXTS = ['boot', 'comm', 'path', 'argv', 'cgroup'] as const;
export const EVENTS = ['process', 'exec', 'signal', 'delivery', 'oom_kill', 'uid_syscalls'] as const;

/** Tables whose ids grow over all segments. */
export const GROWING: readonly string[] = [...LEDGER, ...TEXTS, ...EVENTS];
