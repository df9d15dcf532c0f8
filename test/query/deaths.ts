/**
 * A recording made by code about the machine "fixture", on another evening than fixture.ts: deaths of which one has to know
 * more than the last signal. Long, because it is a table of facts.
 */

import Database from 'better-sqlite3';
import { migrate } from '../../migrations/migrate.js';
import { BLOCKED, HANDLED, numberByTime, type ProcessRow, tellers } from './tell.js';

/** 2026-11-22 20:00:00 UTC, when the recording began. */
const START = Date.UTC(2026, 10, 22, 20) * 1000;
const SECOND = 1_000_000;
const IGNORED = 1;

/** Pids of the stories: whom one asks about. */
export const VICTIM = {
  human: 2100,
  unit: 2200,
  unitNobody: 2300,
  container: 2400,
  cronJob: 2500,
  timeout: 2610,
  stopped: 2700,
  stoppedTerm: 2710,
  hangup: 2810,
  oomd: 2900,
  lostCause: 3000,
  shutdown: 3100,
  stranger: 3200,
} as const;

/** Pids whose exit status is asked for. */
export const EXITED = {
  shell: 4000,
  alone137: 4100,
  timeout124: 4200,
  passed1: 4300,
  notFound: 4400,
  handled: 4500,
  python: 4600,
  own3: 4700,
  sudo: 4800,
} as const;

const CONTAINER = '4f1d0a9c7b3e5d2f8a6c1b0e9d8c7f6a5b4e3d2c1f0a9b8c7d6e5f4a3b2c1d0e';

/** Microseconds of a second of the recording. */
export function at(seconds: number): number {
  return START + Math.round(seconds * SECOND);
}

/** Writes the stories into a fresh database at `path`. */
export function writeDeaths(path: string): void {
  const db = new Database(path);
  migrate(db);
  db.transaction(() => tell(db))();
  db.close();
}

function tell(db: Database.Database): void {
  const { addProcess, addSignal, addExec } = tellers(db, at(-100_000));
  addLedger(db);
  const run = (row: Omit<ProcessRow, 'exe' | 'comm'> & { exe?: string }) => {
    const [program = ''] = row.args;
    const comm = program.slice(program.lastIndexOf('/') + 1, program.lastIndexOf('/') + 16);
    return addProcess({ exe: program.startsWith('/') ? program : `/usr/bin/${program}`, comm, ...row });
  };
  const old = { started: at(-80_000), origin: 'snapshot' };

  const systemd = addProcess({
    pid: 1,
    parent: null,
    comm: 'systemd',
    exe: '/usr/lib/systemd/systemd',
    args: ['/sbin/init'],
    ...old,
  });
  const sshd = addProcess({
    pid: 900,
    parent: systemd,
    comm: 'sshd',
    exe: '/usr/sbin/sshd',
    args: ['sshd: ann [priv]'],
    unit: 'ssh.service',
    ...old,
  });
  const bash = addProcess({
    pid: 1000,
    parent: sshd,
    comm: 'bash',
    exe: '/usr/bin/bash',
    args: ['-bash'],
    uid: 1000,
    cwd: '/home/ann',
    ...old,
  });
  const daemon = (pid: number, ended: number, status: number, args: string[], unit?: string) =>
    run({ pid, parent: systemd, started: at(1), ended: at(ended), status, args, ...(unit ? { unit } : {}) });

  // ann: sudo kill -9 2100
  const human = daemon(VICTIM.human, 100.0001, 9, ['/opt/daemon']);
  const sudo = run({
    pid: 2101,
    parent: bash,
    started: at(99.9),
    ended: at(100.02),
    status: 0,
    args: ['sudo', 'kill', '-9', '2100'],
  });
  const kill = run({
    pid: 2102,
    parent: sudo,
    started: at(99.98),
    ended: at(100.01),
    status: 0,
    args: ['kill', '-9', '2100'],
  });
  addSignal({
    time: at(100),
    sig: 9,
    sender: kill,
    target: human,
    mechanism: 'kill',
    targetArg: VICTIM.human,
  });

  // ann: sudo systemctl stop web. systemd asks, waits 90 s, and kills.
  const web = daemon(VICTIM.unit, 210.0001, 9, ['/opt/web', '--port', '80'], 'web.service');
  const sudo2 = run({
    pid: 2201,
    parent: bash,
    started: at(119.9),
    ended: at(210.3),
    status: 0,
    args: ['sudo', 'systemctl', 'stop', 'web'],
  });
  run({
    pid: 2202,
    parent: sudo2,
    started: at(119.95),
    ended: at(210.2),
    status: 0,
    args: ['systemctl', 'stop', 'web'],
  });
  addSignal({
    time: at(120),
    sig: 15,
    sender: systemd,
    target: web,
    mechanism: 'pidfd_send_signal',
    disposition: HANDLED,
  });
  addSignal({ time: at(210), sig: 9, sender: systemd, target: web, mechanism: 'pidfd_send_signal' });

  // systemd kills, and no command asked for it; one asked for another unit, and one only looked.
  const limit = daemon(VICTIM.unitNobody, 300.0001, 9, ['/opt/limited'], 'limited.service');
  run({
    pid: 2301,
    parent: bash,
    started: at(299.5),
    ended: at(299.6),
    status: 0,
    args: ['systemctl', 'stop', 'other'],
  });
  run({
    pid: 2302,
    parent: bash,
    started: at(299.7),
    ended: at(299.8),
    status: 0,
    args: ['systemctl', 'status', 'limited'],
  });
  addSignal({ time: at(300), sig: 9, sender: systemd, target: limit, mechanism: 'pidfd_send_signal' });

  // docker stop: the first process of a container has no handler for SIGTERM, so the kernel drops it; 10 s later SIGKILL.
  const shim = addProcess({
    pid: 1200,
    parent: systemd,
    comm: 'containerd-shim',
    exe: '/usr/bin/containerd-shim-runc-v2',
    args: ['/usr/bin/containerd-shim-runc-v2', '-namespace', 'moby', '-id', CONTAINER],
    ...old,
  });
  const boxed = run({
    pid: VICTIM.container,
    parent: shim,
    started: at(2),
    ended: at(320.0002),
    status: 9,
    args: ['/app/server'],
    unit: `docker-${CONTAINER}.scope`,
    container: CONTAINER,
  });
  run({
    pid: 2401,
    parent: bash,
    started: at(309.8),
    ended: at(320.4),
    status: 0,
    args: ['docker', 'stop', CONTAINER.slice(0, 12)],
  });
  const runc = (pid: number, seconds: number, signal: string) =>
    run({
      pid,
      parent: shim,
      started: at(seconds - 0.02),
      ended: at(seconds + 0.01),
      status: 0,
      args: ['runc', 'kill', CONTAINER, signal],
    });
  addSignal({
    time: at(310),
    sig: 15,
    sender: runc(2402, 310, '15'),
    target: boxed,
    mechanism: 'pidfd_send_signal',
    outcome: 1,
  });
  addSignal({
    time: at(320),
    sig: 9,
    sender: runc(2403, 320, '9'),
    target: boxed,
    mechanism: 'pidfd_send_signal',
  });

  // A nightly job: cron → sh -c → a script, which decides → pkill.
  const cron = addProcess({
    pid: 1300,
    parent: systemd,
    comm: 'cron',
    exe: '/usr/sbin/cron',
    args: ['/usr/sbin/cron', '-f'],
    unit: 'cron.service',
    ...old,
  });
  const job = daemon(VICTIM.cronJob, 400.0001, 15, ['/opt/longjob']);
  const cronShell = run({
    pid: 2501,
    parent: cron,
    started: at(399.7),
    ended: at(400.2),
    status: 0,
    exe: '/usr/bin/dash',
    args: ['/bin/sh', '-c', '/usr/local/bin/tidy'],
  });
  const tidy = addProcess({
    pid: 2502,
    parent: cronShell,
    started: at(399.75),
    ended: at(400.1),
    status: 0,
    comm: 'tidy',
    exe: '/usr/bin/dash',
    args: ['/bin/sh', '/usr/local/bin/tidy'],
  });
  const pkill = run({
    pid: 2503,
    parent: tidy,
    started: at(399.9),
    ended: at(400.05),
    status: 0,
    args: ['pkill', 'longjob'],
  });
  addSignal({
    time: at(400),
    sig: 15,
    sender: pkill,
    target: job,
    mechanism: 'kill',
    targetArg: VICTIM.cronJob,
  });

  // timeout 5 sleep 60, at the prompt.
  const timeout = run({
    pid: 2600,
    parent: bash,
    started: at(410),
    ended: at(415.01),
    status: 124 << 8,
    args: ['timeout', '5', 'sleep', '60'],
    uid: 1000,
  });
  const slept = run({
    pid: VICTIM.timeout,
    parent: timeout,
    started: at(410.01),
    ended: at(415.001),
    status: 15,
    args: ['sleep', '60'],
    uid: 1000,
  });
  addSignal({
    time: at(415),
    sig: 15,
    sender: timeout,
    target: slept,
    mechanism: 'kill',
    targetArg: VICTIM.timeout,
  });

  // Stopped by ann: SIGTERM waits, SIGKILL does not.
  const frozen = daemon(VICTIM.stopped, 520.0001, 9, ['/opt/frozen']);
  addSignal({
    time: at(500),
    sig: 19,
    sender: bash,
    target: frozen,
    mechanism: 'kill',
    targetArg: VICTIM.stopped,
  });
  addSignal({
    time: at(510),
    sig: 15,
    sender: systemd,
    target: frozen,
    mechanism: 'kill',
    targetArg: VICTIM.stopped,
  });
  addSignal({
    time: at(520),
    sig: 9,
    sender: systemd,
    target: frozen,
    mechanism: 'kill',
    targetArg: VICTIM.stopped,
  });
  const thawed = daemon(VICTIM.stoppedTerm, 540.0003, 15, ['/opt/thawed']);
  addSignal({
    time: at(530),
    sig: 19,
    sender: bash,
    target: thawed,
    mechanism: 'kill',
    targetArg: VICTIM.stoppedTerm,
  });
  addSignal({
    time: at(535),
    sig: 15,
    sender: bash,
    target: thawed,
    mechanism: 'kill',
    targetArg: VICTIM.stoppedTerm,
  });
  addSignal({
    time: at(540),
    sig: 18,
    sender: bash,
    target: thawed,
    mechanism: 'kill',
    outcome: 1,
    targetArg: VICTIM.stoppedTerm,
  });

  // A connection is cut: the session's sshd is killed, its terminal is closed, and the editor at it gets SIGHUP.
  const session = addProcess({
    pid: 2800,
    parent: sshd,
    started: at(2),
    ended: at(600.0008),
    status: 9,
    comm: 'sshd',
    exe: '/usr/sbin/sshd',
    args: ['sshd: bob@pts/3'],
  });
  const editor = run({
    pid: VICTIM.hangup,
    parent: session,
    started: at(3),
    ended: at(600.0009),
    status: 1,
    args: ['vi', 'notes'],
    uid: 1001,
  });
  const killBob = run({
    pid: 2801,
    parent: bash,
    started: at(599.9),
    ended: at(600.1),
    status: 0,
    args: ['killall', '-9', 'sshd'],
  });
  addSignal({ time: at(600), sig: 9, sender: killBob, target: session, mechanism: 'kill', targetArg: 2800 });
  addSignal({ time: at(600.0005), sig: 1, target: editor, mechanism: 'tty', dying: session });

  // A userspace OOM killer acts of its own will.
  const oomd = addProcess({
    pid: 1400,
    parent: systemd,
    comm: 'systemd-oomd',
    exe: '/usr/lib/systemd/systemd-oomd',
    args: ['/usr/lib/systemd/systemd-oomd'],
    unit: 'systemd-oomd.service',
    ...old,
  });
  const eater = daemon(VICTIM.oomd, 620.0001, 9, ['/opt/eater'], 'eater.service');
  addSignal({ time: at(620), sig: 9, sender: oomd, target: eater, mechanism: 'cgroup.kill' });

  // The signal was lost with 14 others, but a command names the victim.
  daemon(VICTIM.lostCause, 640.0001, 9, ['/opt/unlucky']);
  run({
    pid: 3001,
    parent: bash,
    started: at(639.9),
    ended: at(640.01),
    status: 0,
    args: ['kill', '-9', '3000'],
    uid: 1000,
  });

  // reboot
  const served = daemon(VICTIM.shutdown, 700.0001, 15, ['/opt/served'], 'served.service');
  run({
    pid: 3101,
    parent: bash,
    started: at(699.5),
    args: ['reboot'],
    exe: '/usr/bin/systemctl',
    uid: 1000,
  });
  addSignal({ time: at(700), sig: 15, sender: systemd, target: served, mechanism: 'pidfd_send_signal' });

  // One asked, another one killed.
  const asked = daemon(VICTIM.stranger, 730.0001, 9, ['/opt/stubborn']);
  addSignal({
    time: at(720),
    sig: 15,
    sender: bash,
    target: asked,
    mechanism: 'kill',
    disposition: BLOCKED,
    targetArg: VICTIM.stranger,
  });
  addSignal({
    time: at(722),
    sig: 1,
    sender: bash,
    target: asked,
    mechanism: 'kill',
    outcome: -1,
    disposition: null,
    targetArg: VICTIM.stranger,
  });
  addSignal({
    time: at(725),
    sig: 2,
    sender: bash,
    target: asked,
    mechanism: 'kill',
    outcome: 1,
    disposition: IGNORED,
    targetArg: VICTIM.stranger,
  });
  addSignal({
    time: at(730),
    sig: 9,
    sender: oomd,
    target: asked,
    mechanism: 'kill',
    targetArg: VICTIM.stranger,
  });

  // sh -c 'make' → make → sh -c → cc, which SIGKILL ends: 137, then 2, then 2.
  const outer = run({
    pid: EXITED.shell,
    parent: bash,
    started: at(800),
    ended: at(803.04),
    status: 2 << 8,
    exe: '/usr/bin/dash',
    args: ['sh', '-c', 'make; exit $?'],
    uid: 1000,
  });
  const make = run({
    pid: 4001,
    parent: outer,
    started: at(800.1),
    ended: at(803.03),
    status: 2 << 8,
    args: ['make'],
    uid: 1000,
  });
  run({
    pid: 4003,
    parent: make,
    started: at(800.15),
    ended: at(800.2),
    status: 0,
    args: ['mkdir', '-p', 'out'],
    uid: 1000,
  });
  const recipe = run({
    pid: 4002,
    parent: make,
    started: at(800.2),
    ended: at(803.01),
    status: 137 << 8,
    exe: '/usr/bin/dash',
    args: ['sh', '-c', 'cc big.c; exit $?'],
    uid: 1000,
  });
  const cc = run({
    pid: 4004,
    parent: recipe,
    started: at(800.3),
    ended: at(803.0001),
    status: 9,
    args: ['cc', 'big.c'],
    uid: 1000,
  });
  addSignal({ time: at(803), sig: 9, sender: oomd, target: cc, mechanism: 'kill', targetArg: 4004 });

  // A program that just says 137: its child had been killed long before, and another one ended well.
  const alone = run({
    pid: EXITED.alone137,
    parent: bash,
    started: at(810),
    ended: at(840),
    status: 137 << 8,
    args: ['/opt/odd'],
    uid: 1000,
  });
  const early = run({
    pid: 4101,
    parent: alone,
    started: at(811),
    ended: at(812.0001),
    status: 9,
    args: ['sleep', '9'],
    uid: 1000,
  });
  addSignal({ time: at(812), sig: 9, sender: bash, target: early, mechanism: 'kill', targetArg: 4101 });
  run({ pid: 4102, parent: alone, started: at(838), ended: at(839), status: 0, args: ['true'], uid: 1000 });

  const outOfTime = run({
    pid: EXITED.timeout124,
    parent: bash,
    started: at(841),
    ended: at(842.01),
    status: 124 << 8,
    args: ['timeout', '1', 'worker'],
    uid: 1000,
  });
  const worker = run({
    pid: 4201,
    parent: outOfTime,
    started: at(841.01),
    ended: at(842.005),
    status: 0,
    args: ['worker'],
    uid: 1000,
  });
  addSignal({
    time: at(842),
    sig: 15,
    sender: outOfTime,
    target: worker,
    mechanism: 'kill',
    disposition: HANDLED,
    targetArg: 4201,
  });

  const passes = run({
    pid: EXITED.passed1,
    parent: bash,
    started: at(850),
    ended: at(851.01),
    status: 1 << 8,
    args: ['/opt/build'],
    uid: 1000,
  });
  run({
    pid: 4301,
    parent: passes,
    started: at(850.1),
    ended: at(850.4),
    status: 1 << 8,
    args: ['grep', '-q', 'x', 'file'],
    uid: 1000,
  });
  run({
    pid: 4302,
    parent: passes,
    started: at(850.5),
    ended: at(851),
    status: 1 << 8,
    args: ['cmp', 'a', 'b'],
    uid: 1000,
  });

  const lost = run({
    pid: EXITED.notFound,
    parent: bash,
    started: at(855),
    ended: at(855.1),
    status: 127 << 8,
    exe: '/usr/bin/dash',
    args: ['sh', '-c', 'nosuch'],
    uid: 1000,
  });
  addExec(lost, at(855.05), '/usr/local/bin/nosuch', ['nosuch'], -2);
  addExec(lost, at(855.06), '/usr/bin/nosuch', ['nosuch'], -2);

  const handled = daemon(EXITED.handled, 860.004, 0, ['/opt/polite']);
  addSignal({
    time: at(860),
    sig: 15,
    sender: systemd,
    target: handled,
    mechanism: 'kill',
    disposition: HANDLED,
    targetArg: EXITED.handled,
  });

  const python = run({
    pid: EXITED.python,
    parent: bash,
    started: at(865),
    ended: at(866.02),
    status: 247 << 8,
    args: ['python3', 'run.py'],
    uid: 1000,
  });
  const child = run({
    pid: 4601,
    parent: python,
    started: at(865.1),
    ended: at(866.0001),
    status: 9,
    args: ['sleep', '9'],
    uid: 1000,
  });
  addSignal({ time: at(866), sig: 9, sender: bash, target: child, mechanism: 'kill', targetArg: 4601 });

  run({
    pid: EXITED.own3,
    parent: bash,
    started: at(870),
    ended: at(871),
    status: 3 << 8,
    args: ['/opt/picky'],
    uid: 1000,
  });

  // sudo ends itself by the signal that ended its command.
  const sudo3 = run({
    pid: EXITED.sudo,
    parent: bash,
    started: at(880),
    ended: at(881.01),
    status: 15,
    args: ['sudo', 'sleep', '60'],
  });
  const asRoot = run({
    pid: 4801,
    parent: sudo3,
    started: at(880.1),
    ended: at(881.0001),
    status: 15,
    args: ['sleep', '60'],
  });
  addSignal({ time: at(881), sig: 15, sender: systemd, target: asRoot, mechanism: 'kill', targetArg: 4801 });
  addSignal({
    time: at(881.009),
    sig: 15,
    sender: sudo3,
    target: sudo3,
    mechanism: 'kill',
    targetArg: EXITED.sudo,
  });
  numberByTime(db);
}

function addLedger(db: Database.Database): void {
  db.prepare("INSERT INTO boot (boot_id) VALUES ('11111111-2222-3333-4444-666666666666')").run();
  db.prepare(`INSERT INTO recording
    (boot, started, updated, ended, ending, host, kernel, version, pid, scope, options, probes, seen, stored)
    VALUES (1, ?, ?, ?, 'stopped', 'fixture', '6.18.0', '0.1.0', 700, 'machine', '{}', '[]', 200, 186)`).run(
    START,
    at(900),
    at(900),
  );
  db.prepare(
    `INSERT INTO coverage (recording, from_time, to_time, kind, event, lane, count, cause)
     VALUES (1, ?, ?, 'lost', 'signal', 'bulk', 14, 'the bulk lane was full')`,
  ).run(at(639.5), at(640.2));
  db.prepare("INSERT INTO user_name VALUES (1000, 'ann'), (1001, 'bob')").run();
}
