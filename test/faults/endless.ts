/**
 * A recording with exactly our schema that is made to be asked for ever: every row leads to the same huge command line, all
 * processes bear one pid and are parents of one another in a circle, and each death was caused by the one before.
 */

import Database from 'better-sqlite3';
import { migrate } from '../../migrations/migrate.js';
import { START } from '../query/fixture.js';

const ROWS = 100_000;
/** Each is quoted anew in each row of a view. */
const ARGUMENTS = 1_000_000;

/** The pid of all processes, and the name of all. */
export const WHO = { pid: 1000, name: 'ouroboros' } as const;

/** Writes it at `path`. */
export function writeEndless(path: string): void {
  const db = new Database(path);
  db.pragma('journal_mode = MEMORY');
  db.pragma('synchronous = OFF');
  migrate(db);
  db.pragma('foreign_keys = OFF');
  const fill = (sql: string): void =>
    void db
      .prepare(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @rows) ${sql}`)
      .run({ rows: ROWS, start: START, pid: WHO.pid });
  db.transaction(() => {
    db.exec(`INSERT INTO boot (id, boot_id) VALUES (1, 'endless');
      INSERT INTO comm (id, comm) VALUES (1, '${WHO.name}');
      INSERT INTO path (id, path) VALUES (1, '/bin/${WHO.name}');
      INSERT INTO cgroup (id, path, unit) VALUES (1, '/system.slice/${WHO.name}.service', '${WHO.name}.service')`);
    db.prepare('INSERT INTO argv (id, args, bytes) VALUES (1, ?, ?)').run(
      JSON.stringify([WHO.name, ...Array<string>(ARGUMENTS).fill("'")]),
      ARGUMENTS,
    );
    db.prepare(
      `INSERT INTO recording (id, boot, started, updated, host, kernel, version, pid, scope, options)
       VALUES (1, 1, ?, ?, 'endless', '6.18.0', '0.1.0', 1, 'machine', '{}')`,
    ).run(START, START + ROWS);
    fill(`INSERT INTO process (id, boot, pid, start_ns, started, ended, parent, parent_exec, origin, exec, comm, exe, argv, cwd, uid,
        cgroup, status)
      SELECT i, 1, @pid, i, @start + i, @start + i + 5, 1 + i % @rows, 1 + i % @rows, 'fork', i, 1, 1, 1, 1, 0, 1, 9 FROM n`);
    fill(`INSERT INTO exec (id, time, process, result, filename, exe, argv, cwd, comm, uid, gid, euid, egid, cgroup, flags)
      SELECT i, @start + i, 1 + i % 7, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 0 FROM n`);
    // Of mechanism 8, the death of the parent: the answer goes on to what killed that one.
    fill(`INSERT INTO signal (id, time, count, sig, code, sender, sender_comm, sender_exec, target, target_comm, mechanism, call,
        outcome, disposition, dying)
      SELECT i, @start + i, 1, 9, 128, 1 + i % @rows, 1, i, i, 1, 8, 1, 0, 0, 1 + i % @rows FROM n`);
    fill(`INSERT INTO coverage (recording, from_time, to_time, kind, event, count, cause)
      SELECT 1, @start + i, @start + i + 3, 'lost', 'signal', 1, 'lost ' || i FROM n`);
  })();
  db.close();
}
