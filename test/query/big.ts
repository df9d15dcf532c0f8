/**
 * A recording with as many events as are wanted, made by SQL in seconds: a machine that has run shells, compilers and
 * services for days. For every ten events: six signals, two processes that end, two execs.
 */

import Database from 'better-sqlite3';
import { migrate } from '../../migrations/migrate.js';
import { SECOND, START } from './fixture.js';
import { sealedPath } from './split.js';

const NAMES = 400;
const UNITS = 40;
const EVENT_US = 0.1 * SECOND;

/** What there is once, to be found among all the rest. */
export const NEEDLE = { pid: 4_000_001, comm: 'needle', exe: '/opt/needle', unit: 'needle.service' } as const;

/** Writes `events` events into `segments` files, the live one at `path`; gives the time of the last. */
export function writeBig(path: string, events: number, segments = 1): number {
  const each = Math.floor(events / segments / 10);
  for (let i = 0; i < segments; i++) {
    const from = time(i * each * 10);
    writeSegment(i === segments - 1 ? path : sealedPath(path, from), i, each, segments);
  }
  return time(each * segments * 10);
}

function time(event: number): number {
  return START + event * EVENT_US;
}

/** Ten events for each of `tens`; ids go on where the segment before ended. */
function writeSegment(path: string, index: number, tens: number, segments: number): void {
  const db = new Database(path);
  db.pragma('journal_mode = MEMORY');
  db.pragma('synchronous = OFF');
  migrate(db);
  db.pragma('foreign_keys = OFF');
  const first = index * tens;
  const bindings = { first, tens, names: NAMES, units: UNITS, start: START, event: EVENT_US };
  const fill = (sql: string): void =>
    void db
      .prepare(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @tens) ${sql}`)
      .run(bindings);
  db.transaction(() => {
    db.exec("INSERT INTO boot (id, boot_id) VALUES (1, 'big')");
    db.prepare(
      `INSERT INTO recording (id, boot, started, updated, host, kernel, version, pid, scope, options)
       VALUES (1, 1, ?, ?, 'big', '6.18.0', '0.1.0', 1, 'machine', '{}')`,
    ).run(START, time((index + 1) * tens * 10));
    if (segments > 1)
      db.prepare("INSERT INTO meta (key, value) VALUES ('from', ?)").run(String(time(first * 10)));
    if (index > 0) {
      const insert = db.prepare('INSERT INTO first_id ("table", id) VALUES (?, ?)');
      for (const [table, id] of Object.entries({ process: first * 2, exec: first * 2, signal: first * 6 }))
        insert.run(table, id + 100);
      for (const table of ['boot', 'recording', 'comm', 'path', 'argv', 'cgroup'])
        insert.run(table, 1_000_000_000);
    }
    for (let i = 1; i <= NAMES; i++) {
      db.prepare('INSERT INTO comm (id, comm) VALUES (?, ?)').run(i, `prog${i}`);
      db.prepare('INSERT INTO path (id, path) VALUES (?, ?)').run(i, `/usr/bin/prog${i}`);
      db.prepare('INSERT INTO argv (id, args, bytes) VALUES (?, ?, 40)').run(
        i,
        JSON.stringify([`prog${i}`, '--flag', `file ${i}`]),
      );
    }
    for (let i = 1; i <= UNITS; i++)
      db.prepare('INSERT INTO cgroup (id, path, unit) VALUES (?, ?, ?)').run(
        i,
        `/system.slice/u${i}.service`,
        `u${i}.service`,
      );
    // Ids 1 to 50 are shells that never end; two children for each ten events, of which one in 50 dies of SIGKILL.
    db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
      INSERT INTO process (id, boot, pid, start_ns, started, origin, comm, exe, argv, cwd, uid, cgroup)
      SELECT i, 1, 100 + i, i, ${START}, 'snapshot', i, i, i, 1, i % 5 * 1000, i % 40 + 1 FROM n`);
    fill(`INSERT INTO process (id, boot, pid, start_ns, started, ended, parent, origin, exec, comm, exe, argv, cwd, uid, cgroup, status)
      SELECT 100 + @first * 2 + i * 2 - k, 1, 1000 + (@first * 2 + i * 2 - k) % 4000000, (@first + i) * 2 - k, @start + (@first + i) * @event * 10,
        @start + (@first + i + i % 7) * @event * 10, i % 50 + 1, 'fork', 100 + @first * 2 + i * 2 - k, i * 7 % @names + 1, i * 7 % @names + 1,
        i * 7 % @names + 1, 1, i % 5 * 1000, i % @units + 1, CASE WHEN i % 50 = 0 THEN 9 WHEN i % 9 = 0 THEN 256 ELSE 0 END
      FROM n, (SELECT 1 k UNION ALL SELECT 0)`);
    fill(`INSERT INTO exec (id, time, process, result, filename, exe, argv, cwd, comm, uid, gid, euid, egid, cgroup, flags)
      SELECT 100 + @first * 2 + i * 2 - k, @start + (@first + i) * @event * 10 + 300, 100 + @first * 2 + i * 2 - k,
        CASE WHEN i % 40 = 0 THEN -2 ELSE 0 END, i * 7 % @names + 1, i * 7 % @names + 1, i * 7 % @names + 1, 1,
        i * 7 % @names + 1, i % 5 * 1000, 0, i % 5 * 1000, 0, i % @units + 1, 0
      FROM n, (SELECT 1 k UNION ALL SELECT 0)`);
    fill(`INSERT INTO signal (id, time, count, sig, code, sender, sender_uid, sender_comm, target, target_comm, mechanism, outcome, disposition, target_arg, syscall)
      SELECT 100 + @first * 6 + i * 6 - k, @start + (@first + i) * @event * 10 + 500, 1,
        CASE k WHEN 0 THEN CASE WHEN i % 50 = 0 THEN 9 ELSE 15 END WHEN 1 THEN 0 ELSE 17 END, 0,
        i * 7 % 50 + 1, i % 5 * 1000, i * 7 % 50 + 1,
        CASE WHEN k > 1 THEN i * 3 % 50 + 1 ELSE 100 + @first * 2 + i * 2 END, i * 3 % @names + 1,
        CASE WHEN k > 1 THEN 18 ELSE 1 END, CASE WHEN i % 60 = 0 THEN -1 WHEN k = 1 THEN 5 ELSE 0 END, 0, 1, 62
      FROM n, (SELECT 0 k UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5)`);
    if (index === 0) addNeedle(db);
  })();
  db.close();
}

/** One process of its own name, file and unit, early in the recording, that the first shell kills. */
function addNeedle(db: Database.Database): void {
  const id = 50 + 1;
  const started = time(1000);
  db.exec(`INSERT INTO comm (id, comm) VALUES (9999, '${NEEDLE.comm}');
    INSERT INTO path (id, path) VALUES (9999, '${NEEDLE.exe}');
    INSERT INTO argv (id, args, bytes) VALUES (9999, '["${NEEDLE.comm}","--find-me"]', 20);
    INSERT INTO cgroup (id, path, unit) VALUES (9999, '/system.slice/${NEEDLE.unit}', '${NEEDLE.unit}');
    INSERT INTO process (id, boot, pid, start_ns, started, ended, parent, origin, exec, comm, exe, argv, cwd, uid, cgroup, status)
      VALUES (${id}, 1, ${NEEDLE.pid}, 7, ${started}, ${started + 5 * SECOND}, 1, 'fork', 51, 9999, 9999, 9999, 1, 4242, 9999, 9);
    INSERT INTO exec (id, time, process, result, filename, exe, argv, cwd, comm, uid, gid, euid, egid, cgroup, flags)
      VALUES (51, ${started + 300}, ${id}, 0, 9999, 9999, 9999, 1, 9999, 4242, 0, 4242, 0, 9999, 0);
    INSERT INTO signal (id, time, count, sig, code, sender, sender_uid, sender_comm, target, target_comm, mechanism, outcome, disposition, target_arg, syscall)
      VALUES (51, ${started + 5 * SECOND - 100}, 1, 9, 0, 1, 0, 1, ${id}, 9999, 1, 0, 0, ${NEEDLE.pid}, 62)`);
}
