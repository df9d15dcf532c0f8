/**
 * A recording of a busy machine, of any length, made by SQL alone: processes that start, execute, are signalled and end; every
 * fourth is killed. It is written without a thought for its own safety, for what counts is only what is in it at last.
 */

import Database from 'better-sqlite3';
import { FIRST_TIME } from './rows.js';
import { emptyStore } from './storage.js';

/** Signals for each process. */
const SIGNALS = 50;
/** Pid of the first process; they are never used twice. */
export const FIRST_PID = 1000;
/** Id of a process that gets a tenth of all signals, and is killed at the end. */
const HOT = 5;
export const HOT_PID = FIRST_PID + HOT - 1;

const INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";

/** Writes `signals` of them into a new database; returns the number of processes. */
export function writeBig(path: string, signals: number): number {
  emptyStore(path).close('stopped', FIRST_TIME + signals * 10);
  const processes = Math.max(100, Math.round(signals / SIGNALS));
  const db = new Database(path);
  db.pragma('journal_mode = OFF');
  db.pragma('synchronous = OFF');
  db.pragma('foreign_keys = OFF');
  const indexes = db.prepare(INDEXES).all() as { name: string; sql: string }[];
  for (const { name } of indexes) db.exec(`DROP INDEX "${name}"`);
  const run = (sql: string) => db.prepare(sql).run({ signals, processes, from: FIRST_TIME, pid: FIRST_PID });
  const numbers = (last: string) =>
    `WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${last})`;
  db.exec('BEGIN');
  db.exec(`${numbers('200')} INSERT INTO comm (id, comm) SELECT n, 'command' || n FROM number`);
  db.exec(`${numbers('1000')} INSERT INTO path (id, path) SELECT n, '/usr/bin/command' || n FROM number`);
  run(`${numbers('@processes')} INSERT INTO argv (id, args, bytes)
    SELECT n, json_array('command' || (n % 200), '--number', n), 30 FROM number`);
  run(`${numbers('@processes')} INSERT INTO process
      (id, boot, pid, start_ns, started, ended, parent, origin, exec, comm, exe, argv, cwd, uid, status)
    SELECT n, 1, @pid + n - 1, n * 500000, @from + n * 500,
      @from + CASE n WHEN ${HOT} THEN @signals * 10 ELSE n * 500 + 400000 END, nullif(n / 8, 0), 'fork', n,
      1 + n % 200, 1 + n % 1000, n, 1, 1000, CASE n % 4 WHEN 1 THEN 9 ELSE 0 END FROM number`);
  run(`${numbers('@processes')} INSERT INTO exec
      (id, time, process, result, filename, exe, argv, cwd, comm, uid, gid, euid, egid, flags)
    SELECT n, @from + n * 500 + 10, n, 0, 1 + n % 1000, 1 + n % 1000, n, 1, 1 + n % 200, 1000, 1000, 1000, 1000, 0
    FROM number`);
  // In the order of time, as a recorder writes it. Of each ten: one to the hot process, one refused, the rest to one of the
  // processes that live at that time; and behind the last one of each that was killed, the signal that did it.
  run(`${numbers('@signals')} INSERT INTO signal
      (id, time, count, sig, code, sender, sender_tid, sender_uid, sender_comm, sender_exec, target, target_comm,
       mechanism, outcome, disposition, target_arg, syscall)
    SELECT 2 * n, @from + n * 10, 1, 10, 0, 1 + (n / 7) % @processes, @pid + (n / 7) % @processes, 1000, 1 + n % 200,
      1 + (n / 7) % @processes, CASE n % 10 WHEN 0 THEN ${HOT} WHEN 1 THEN NULL ELSE 1 + (n / ${SIGNALS} + n % 40) % @processes END,
      1 + n % 200, 1, CASE n % 10 WHEN 1 THEN -3 ELSE 0 END, 2, @pid + n % 30000, 62 FROM number
    UNION ALL
    SELECT 2 * ((ended - 20 - @from) / 10) + 1, ended - 20, 1, 9, 0, killer, @pid + killer - 1, 1000, 1 + killer % 200, killer,
      id, comm, 1, 0, 0, pid, 62
    FROM (SELECT *, CASE id WHEN ${HOT} THEN @processes ELSE id + 1 END AS killer FROM process WHERE status = 9)
    ORDER BY 1`);
  for (const { sql } of indexes) db.exec(sql);
  db.exec('COMMIT');
  db.pragma('journal_mode = DELETE');
  db.close();
  return processes;
}
