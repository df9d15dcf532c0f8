/** The recording that the pictures in the documentation are made of: a cleaning job meets a report that takes too long. */

import Database from 'better-sqlite3';
import { migrate } from '../../migrations/migrate.js';
import { HANDLED, tellers } from '../query/tell.js';

/** 2026-11-21 02:30:00 UTC. */
const START = Date.UTC(2026, 10, 21, 2, 30) * 1_000;
const at = (seconds: number): number => START + Math.round(seconds * 1_000_000);

/** The process that the pictures ask about. */
export const VICTIM = 41_207;

/** Writes the recording into a fresh database at `path`. */
export function writePictureStory(path: string): void {
  const db = new Database(path);
  migrate(db);
  db.transaction(() => tell(db))();
  db.close();
}

function tell(db: Database.Database): void {
  db.prepare("INSERT INTO boot (boot_id) VALUES ('00000000-0000-4000-8000-000000000000')").run();
  db.prepare(`INSERT INTO recording (boot, started, updated, host, kernel, version, pid, scope, options, probes)
    VALUES (1, ?, ?, 'shop-db-2', '6.12.0', '0.1.0', 702, 'machine', '{}', '[]')`).run(at(-3600), at(900));
  const { addProcess, addSignal } = tellers(db, at(-500_000));
  const old = { started: at(-400_000), origin: 'snapshot' };
  const systemd = addProcess({
    ...old,
    pid: 1,
    parent: null,
    comm: 'systemd',
    exe: '/usr/lib/systemd/systemd',
    args: ['/sbin/init'],
  });
  const cron = addProcess({
    ...old,
    pid: 688,
    parent: systemd,
    comm: 'cron',
    exe: '/usr/sbin/cron',
    args: ['/usr/sbin/cron', '-f'],
    unit: 'cron.service',
  });
  const job = { uid: 1001, cwd: '/srv/shop' };
  const shell = addProcess({
    ...job,
    pid: 41_190,
    parent: cron,
    started: at(0),
    ended: at(47.3),
    status: 137 << 8,
    comm: 'sh',
    exe: '/usr/bin/dash',
    args: ['/bin/sh', '-c', 'bin/nightly-report --all'],
  });
  const report = addProcess({
    ...job,
    pid: VICTIM,
    parent: shell,
    started: at(0.4),
    ended: at(47.2531),
    status: 9,
    comm: 'nightly-report',
    exe: '/usr/bin/python3.11',
    args: ['python3', 'bin/nightly-report', '--all'],
  });
  for (let i = 0; i < 24; i++) {
    const started = at(2 + i * 1.7 + (i % 5) * 0.31);
    addProcess({
      ...job,
      pid: 41_220 + i,
      parent: report,
      started,
      ended: started + 900_000 + (i % 7) * 410_000,
      status: 0,
      comm: 'gzip',
      exe: '/usr/bin/gzip',
      args: ['gzip', '-9', `out/${i}.csv`],
    });
  }
  const psql = addProcess({
    ...job,
    pid: 41_218,
    parent: report,
    started: at(1.2),
    ended: at(36.1),
    status: 1 << 8,
    comm: 'psql',
    exe: '/usr/bin/psql',
    args: ['psql', '-c', 'SELECT * FROM orders', 'shop'],
  });
  const mail = addProcess({
    ...job,
    pid: 41_260,
    parent: report,
    started: at(44.1),
    ended: at(47.2532),
    status: 13,
    comm: 'sendmail',
    exe: '/usr/sbin/sendmail',
    args: ['sendmail', 'books@shop.example'],
  });
  const cleanup = addProcess({
    pid: 41_245,
    parent: cron,
    started: at(30),
    ended: at(48.2),
    status: 0,
    comm: 'nightly-cleanup',
    exe: '/usr/bin/bash',
    args: ['/bin/bash', '/etc/cron.d/nightly-cleanup'],
    unit: 'cron.service',
  });
  addProcess({
    pid: 41_246,
    parent: cleanup,
    started: at(30.2),
    ended: at(36.4),
    status: 0,
    comm: 'find',
    exe: '/usr/bin/find',
    args: ['find', '/srv/shop/out', '-mtime', '+7', '-delete'],
  });
  const term = addProcess({
    pid: 41_251,
    parent: cleanup,
    started: at(37),
    ended: at(37.4),
    status: 0,
    comm: 'pkill',
    exe: '/usr/bin/pkill',
    args: ['pkill', '-f', 'nightly-report'],
  });
  addProcess({
    pid: 41_252,
    parent: cleanup,
    started: at(37.2),
    ended: at(47.15),
    status: 0,
    comm: 'sleep',
    exe: '/usr/bin/sleep',
    args: ['sleep', '10'],
  });
  const kill = addProcess({
    pid: 41_261,
    parent: cleanup,
    started: at(47.2),
    ended: at(47.6),
    status: 0,
    comm: 'pkill',
    exe: '/usr/bin/pkill',
    args: ['pkill', '-9', '-f', 'nightly-report'],
  });
  addSignal({
    time: at(36),
    sig: 15,
    sender: report,
    target: psql,
    mechanism: 'kill',
    disposition: HANDLED,
    targetArg: 41_218,
  });
  addSignal({
    time: at(37.3),
    sig: 15,
    sender: term,
    target: report,
    mechanism: 'kill',
    disposition: HANDLED,
    targetArg: VICTIM,
  });
  addSignal({
    time: at(47.2526),
    sig: 9,
    sender: kill,
    target: report,
    mechanism: 'kill',
    targetArg: VICTIM,
  });
  addSignal({ time: at(47.25315), sig: 13, target: mail, mechanism: 'sigpipe' });
  db.prepare(`INSERT INTO coverage (recording, from_time, to_time, kind, event, lane, count, cause)
    VALUES (1, ?, ?, 'lost', 'exec', 'bulk', 31, 'the bulk lane was full')`).run(at(19.2), at(20.6));
}
