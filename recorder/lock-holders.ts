/** Who holds the lock that keeps the recorder from writing: told by the kernel, without touching the file. */

import { readFileSync, statSync } from 'node:fs';

const WRITE_LOCK = 120; // byte of the -shm file: https://sqlite.org/walformat.html#wal_locks

/** The processes that hold it, as words: `sqlite3 (process 42)`; `another process` when the kernel does not tell. */
export function lockHolders(database: string): string {
  const inode = statSync(`${database}-shm`, { throwIfNoEntry: false })?.ino;
  const pids = readFileSync('/proc/locks', 'latin1')
    .split('\n')
    .map(line => line.trim().split(/\s+/)) // 1: POSIX ADVISORY WRITE 42 fe:00:1234 120 120
    .filter(([, , , , , file, from, to]) => file?.split(':')[2] === String(inode) && covers(from, to))
    .map(fields => Number(fields[4]))
    .filter(pid => pid !== process.pid);
  return pids.length === 0 ? 'another process' : [...new Set(pids)].map(described).join(' and ');
}

function covers(from = '', to = ''): boolean {
  return Number(from) <= WRITE_LOCK && (to === 'EOF' || Number(to) >= WRITE_LOCK);
}

function described(pid: number): string {
  try {
    return `${readFileSync(`/proc/${pid}/comm`, 'utf8')
      .trim()
      .replace(/[^\x20-\x7e]/g, '?')} (process ${pid})`;
  } catch {
    return `process ${pid}`;
  }
}
