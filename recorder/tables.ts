/**
 * The columns of the tables that the recorder fills event by event, in the order in which their values are set. The
 * tables themselves, with the meaning and unit of each column, are in migrations/.
 */

/** Position of each column, by its name. */
function positions<const T extends readonly string[]>(columns: T): { readonly [name in T[number]]: number } {
  return Object.fromEntries(columns.map((name, at) => [name, at])) as { [name in T[number]]: number };
}

/** Two rows that are equal from `sender` on are folded into one with a count. */
export const SIGNAL_COLUMNS = [
  'time',
  'last_time',
  'count',
  'sender',
  'sender_tid',
  'sender_uid',
  'sender_comm',
  'sender_exec',
  'target',
  'target_tid',
  'target_comm',
  'sig',
  'code',
  'mechanism',
  'call',
  'outcome',
  'disposition',
  'target_arg',
  'syscall',
] as const;
export const SIGNAL = positions(SIGNAL_COLUMNS);

export const EXEC_COLUMNS = [
  'id',
  'time',
  'process',
  'result',
  'filename',
  'exe',
  'interp',
  'argv',
  'cwd',
  'comm',
  'uid',
  'gid',
  'euid',
  'egid',
  'loginuid',
  'session',
  'tty',
  'cgroup',
  'inode',
  'device',
  'old_tid',
  'flags',
] as const;
export const EXEC = positions(EXEC_COLUMNS);

export const OOM_COLUMNS = ['time', 'victim', 'trigger', 'memory_cgroup', 'oom_score_adj'] as const;
export const OOM = positions(OOM_COLUMNS);

export const PROCESS_COLUMNS = [
  'id',
  'boot',
  'pid',
  'start_ns',
  'ns_pid',
  'started',
  'ended',
  'unseen_end',
  'parent',
  'parent_exec',
  'origin',
  'exec',
  'comm',
  'exe',
  'argv',
  'cwd',
  'uid',
  'cgroup',
  'status',
  'utime_us',
  'stime_us',
  'max_rss_kb',
] as const;
