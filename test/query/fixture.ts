/**
 * A recording made by code: an evening on the machine "fixture", at fixed times, so that every answer about it can
 * be kept as a golden. It tells one story for each rule of the verdict. Long, because it is a table of facts.
 */

import Database from 'better-sqlite3';
import { migrate } from '../../migrations/migrate.js';
import { BLOCKED, HANDLED, tellers } from './tell.js';

/** 2026-11-21 14:00:00 UTC, when the recording began. */
export const START = Date.UTC(2026, 10, 21, 14) * 1000;
export const SECOND = 1_000_000;

/** Pids of the stories. */
export const PID = {
  systemd: 1,
  sshd: 812,
  bash: 5978,
  sleep: 2219,
  groupParent: 3000,
  groupHandles: 3001,
  groupDies: 3002,
  segv: 3100,
  sigpipe: 3200,
  oom: 3300,
  oomTrigger: 3301,
  abort: 3400,
  timer: 3500,
  exit3: 3600,
  wrapper: 3700,
  wrapped: 3701,
  running: 3800,
  reused: 3900,
  unseen: 4000,
  refuser: 4100,
  hostile: 4200,
  nearLoss: 4300,
  noCause: 4400,
  pdeathParent: 4500,
  pdeathChild: 4501,
  afterDown: 4600,
  reraise: 4700,
  pending: 4800,
} as const;

export const HOSTILE_COMM = 'ev\u001b[31mil\u202e';
export const HOSTILE_ARGS = [
  '=cmd|calc',
  'a\nb',
  '\u001b]0;x\u0007',
  '\u202edrow\u200b',
  "it's",
  'tab\there',
  'Łódź 東京',
];

/** Writes the stories into a fresh database at `path`. */
export function writeFixture(path: string): void {
  const db = new Database(path);
  migrate(db);
  db.transaction(() => tell(db))();
  db.close();
}

/** Microseconds of a second of the recording. */
export function at(seconds: number): number {
  return START + Math.round(seconds * SECOND);
}

function tell(db: Database.Database): void {
  const { addProcess, addSignal, addExec } = tellers(db, at(-100_000));
  addLedger(db);

  const systemd = addProcess({
    pid: PID.systemd,
    parent: null,
    started: at(-90_000),
    comm: 'systemd',
    exe: '/usr/lib/systemd/systemd',
    args: ['/sbin/init'],
    origin: 'snapshot',
  });
  const sshd = addProcess({
    pid: PID.sshd,
    parent: systemd,
    started: at(-80_000),
    comm: 'sshd',
    exe: '/usr/sbin/sshd',
    args: ['sshd: ann [priv]'],
    unit: 'ssh.service',
    origin: 'snapshot',
  });
  const bash = addProcess({
    pid: PID.bash,
    parent: sshd,
    started: at(-60),
    comm: 'bash',
    exe: '/usr/bin/bash',
    args: ['-bash'],
    uid: 1000,
    cwd: '/home/ann',
    origin: 'snapshot',
  });

  // A process before it bore the pid of the victim, and ended long before.
  addProcess({
    pid: PID.sleep,
    parent: bash,
    started: at(10),
    ended: at(11),
    status: 0,
    comm: 'true',
    exe: '/usr/bin/true',
    args: ['true'],
    uid: 1000,
  });
  const sleep = addProcess({
    pid: PID.sleep,
    parent: bash,
    started: at(60),
    ended: at(61.200085),
    status: 9,
    comm: 'sleep',
    exe: '/usr/bin/sleep',
    args: ['sleep', '1000'],
    uid: 1000,
    cwd: '/home/ann',
  });
  addSignal({
    time: at(61),
    sig: 0,
    sender: bash,
    target: sleep,
    mechanism: 'kill',
    outcome: 5,
    disposition: null,
    targetArg: PID.sleep,
  });
  addSignal({ time: at(61.2), sig: 9, sender: bash, target: sleep, mechanism: 'kill', targetArg: PID.sleep });

  // One kill of a process group: one member handles SIGTERM and exits 0, the other dies.
  const leader = addProcess({
    pid: PID.groupParent,
    parent: bash,
    started: at(100),
    comm: 'make',
    exe: '/usr/bin/make',
    args: ['make', '-j2'],
    uid: 1000,
  });
  const handles = addProcess({
    pid: PID.groupHandles,
    parent: leader,
    started: at(101),
    ended: at(110.003),
    status: 0,
    comm: 'worker',
    exe: '/opt/worker',
    args: ['/opt/worker', '--one'],
    uid: 1000,
  });
  const dies = addProcess({
    pid: PID.groupDies,
    parent: leader,
    started: at(101),
    ended: at(110.0002),
    status: 15,
    comm: 'worker',
    exe: '/opt/worker',
    args: ['/opt/worker', '--two'],
    uid: 1000,
  });
  addSignal({
    time: at(110),
    sig: 15,
    sender: bash,
    target: handles,
    mechanism: 'kill',
    disposition: HANDLED,
    targetArg: -3000,
    call: 7,
  });
  addSignal({
    time: at(110),
    sig: 15,
    sender: bash,
    target: dies,
    mechanism: 'kill',
    targetArg: -3000,
    call: 7,
  });

  const segv = addProcess({
    pid: PID.segv,
    parent: bash,
    started: at(200),
    ended: at(200.5),
    status: 11 | 128,
    comm: 'crasher',
    exe: '/opt/crasher',
    args: ['crasher'],
    uid: 1000,
  });
  addSignal({ time: at(200.48), sig: 11, target: segv, mechanism: 'fault' });

  const yes = addProcess({
    pid: PID.sigpipe,
    parent: bash,
    started: at(210),
    ended: at(210.01),
    status: 13,
    comm: 'yes',
    exe: '/usr/bin/yes',
    args: ['yes'],
    uid: 1000,
  });
  addSignal({ time: at(210.0099), sig: 13, target: yes, mechanism: 'sigpipe' });

  const trigger = addProcess({
    pid: PID.oomTrigger,
    parent: systemd,
    started: at(215),
    comm: 'java',
    exe: '/usr/bin/java',
    args: ['java', '-jar', 'app.jar'],
    unit: 'app.service',
  });
  const hog = addProcess({
    pid: PID.oom,
    parent: systemd,
    started: at(220),
    ended: at(230.2),
    status: 9,
    comm: 'hog',
    exe: '/opt/hog',
    args: ['hog', '--eat', '4G'],
    unit: 'app.service',
  });
  addSignal({ time: at(230.0001), sig: 9, target: hog, mechanism: 'oom' });
  db.prepare("INSERT INTO path (path) VALUES ('/system.slice/app.service')").run();
  db.prepare(
    `INSERT INTO oom_kill (time, victim, trigger, memory_cgroup, oom_score_adj, anon_kb, file_kb, shmem_kb)
     VALUES (?, ?, ?, (SELECT max(id) FROM path), 0, 131072, 4096, 512)`,
  ).run(at(230), hog, trigger);

  const abort = addProcess({
    pid: PID.abort,
    parent: bash,
    started: at(240),
    ended: at(240.3),
    status: 6 | 128,
    comm: 'aborter',
    exe: '/opt/aborter',
    args: ['aborter'],
    uid: 1000,
  });
  addSignal({
    time: at(240.25),
    sig: 6,
    sender: abort,
    target: abort,
    mechanism: 'tgkill',
    targetArg: PID.abort,
  });

  const timer = addProcess({
    pid: PID.timer,
    parent: bash,
    started: at(250),
    ended: at(252.00001),
    status: 14,
    comm: 'alarmed',
    exe: '/opt/alarmed',
    args: ['alarmed'],
    uid: 1000,
  });
  addSignal({ time: at(252), sig: 14, target: timer, mechanism: 'timer' });

  addProcess({
    pid: PID.exit3,
    parent: bash,
    started: at(260),
    ended: at(261),
    status: 3 << 8,
    comm: 'false',
    exe: '/usr/bin/false',
    args: ['false'],
    uid: 1000,
  });

  // A shell that reports 137 for its killed child, and was not killed itself.
  const wrapper = addProcess({
    pid: PID.wrapper,
    parent: bash,
    started: at(270),
    ended: at(275.01),
    status: 137 << 8,
    comm: 'sh',
    exe: '/usr/bin/dash',
    args: ['sh', '-c', 'sleep 99'],
    uid: 1000,
  });
  const wrapped = addProcess({
    pid: PID.wrapped,
    parent: wrapper,
    started: at(270.01),
    ended: at(275.0001),
    status: 9,
    comm: 'sleep',
    exe: '/usr/bin/sleep',
    args: ['sleep', '99'],
    uid: 1000,
  });
  addSignal({
    time: at(275),
    sig: 9,
    sender: systemd,
    target: wrapped,
    mechanism: 'kill',
    targetArg: PID.wrapped,
  });

  addProcess({
    pid: PID.running,
    parent: systemd,
    started: at(280),
    comm: 'nginx',
    exe: '/usr/sbin/nginx',
    args: ['nginx', '-g', 'daemon off;'],
    unit: 'nginx.service',
  });

  for (const [i, status] of [0, 9, 1 << 8].entries()) {
    const again = addProcess({
      pid: PID.reused,
      parent: bash,
      started: at(300 + i * 10),
      ended: at(305 + i * 10),
      status,
      comm: `job${i}`,
      exe: '/opt/job',
      args: ['job', String(i)],
      uid: 1000,
    });
    if (status === 9)
      addSignal({
        time: at(305 + i * 10 - 0.001),
        sig: 9,
        sender: bash,
        target: again,
        mechanism: 'kill',
        targetArg: PID.reused,
      });
  }

  addProcess({
    pid: PID.unseen,
    parent: bash,
    started: at(330),
    unseenEnd: at(1000),
    comm: 'vanished',
    exe: '/opt/vanished',
    args: ['vanished'],
    uid: 1000,
  });

  const refuser = addProcess({
    pid: PID.refuser,
    parent: bash,
    started: at(340),
    ended: at(350),
    status: 1 << 8,
    comm: 'refuser',
    exe: '/opt/refuser',
    args: ['refuser'],
    uid: 1000,
  });
  addSignal({
    time: at(341),
    sig: 9,
    sender: refuser,
    target: systemd,
    mechanism: 'kill',
    outcome: -1,
    disposition: null,
    targetArg: 1,
  });
  addSignal({
    time: at(342),
    lastTime: at(342.5),
    count: 40,
    sig: 15,
    sender: refuser,
    target: null,
    mechanism: 'kill',
    outcome: -3,
    disposition: null,
    targetArg: 99_999,
  });

  addExec(refuser, at(345), '/root/secret', ['secret'], -13);

  const hostile = addProcess({
    pid: PID.hostile,
    parent: bash,
    started: at(360),
    ended: at(361),
    status: 15,
    comm: HOSTILE_COMM,
    exe: '/tmp/ev\u001b[2Jil\nx',
    args: HOSTILE_ARGS,
    uid: 1000,
    cwd: '/tmp/\u2066dir',
  });
  addSignal({
    time: at(360.9),
    sig: 15,
    sender: hostile,
    target: hostile,
    mechanism: 'kill',
    targetArg: PID.hostile,
  });

  const nearLoss = addProcess({
    pid: PID.nearLoss,
    parent: bash,
    started: at(400),
    ended: at(410.0001),
    status: 9,
    comm: 'unlucky',
    exe: '/opt/unlucky',
    args: ['unlucky'],
    uid: 1000,
  });
  addSignal({
    time: at(410),
    sig: 9,
    sender: bash,
    target: nearLoss,
    mechanism: 'kill',
    targetArg: PID.nearLoss,
  });

  addProcess({
    pid: PID.noCause,
    parent: bash,
    started: at(402),
    ended: at(410.2),
    status: 9,
    comm: 'mystery',
    exe: '/opt/mystery',
    args: ['mystery'],
    uid: 1000,
  });

  // The parent is killed, and the child had asked to die with it.
  const pParent = addProcess({
    pid: PID.pdeathParent,
    parent: systemd,
    started: at(500),
    ended: at(510.0001),
    status: 9,
    comm: 'launcher',
    exe: '/opt/launcher',
    args: ['launcher'],
  });
  const pChild = addProcess({
    pid: PID.pdeathChild,
    parent: pParent,
    started: at(501),
    ended: at(510.0005),
    status: 15,
    comm: 'helper',
    exe: '/opt/helper',
    args: ['helper'],
  });
  addSignal({
    time: at(510),
    sig: 9,
    sender: bash,
    target: pParent,
    mechanism: 'kill',
    targetArg: PID.pdeathParent,
  });
  addSignal({
    time: at(510.00005),
    sig: 15,
    sender: pParent,
    target: pChild,
    mechanism: 'pdeathsig',
    dying: pParent,
  });

  // A handler that puts the default back and sends the signal to itself again.
  const reraise = addProcess({
    pid: PID.reraise,
    parent: systemd,
    started: at(600),
    ended: at(610.004),
    status: 15,
    comm: 'daemon',
    exe: '/opt/daemon',
    args: ['daemon'],
  });
  addSignal({
    time: at(605),
    lastTime: at(609),
    count: 3,
    sig: 1,
    sender: systemd,
    target: reraise,
    mechanism: 'kill',
    disposition: HANDLED,
    targetArg: PID.reraise,
  });
  addSignal({
    time: at(610),
    sig: 15,
    sender: systemd,
    target: reraise,
    mechanism: 'kill',
    disposition: HANDLED,
    targetArg: PID.reraise,
  });
  addSignal({
    time: at(610.0039),
    sig: 15,
    sender: reraise,
    target: reraise,
    mechanism: 'tgkill',
    targetArg: PID.reraise,
  });

  // Blocked SIGTERM from two senders: the second found the first waiting and was dropped.
  const pending = addProcess({
    pid: PID.pending,
    parent: systemd,
    started: at(620),
    ended: at(630),
    status: 15,
    comm: 'blocker',
    exe: '/opt/blocker',
    args: ['blocker'],
  });
  addSignal({
    time: at(621),
    sig: 15,
    sender: bash,
    target: pending,
    mechanism: 'kill',
    disposition: BLOCKED,
    targetArg: PID.pending,
  });
  addSignal({
    time: at(625),
    sig: 15,
    sender: systemd,
    target: pending,
    mechanism: 'kill',
    outcome: 2,
    disposition: BLOCKED,
    targetArg: PID.pending,
  });

  // Killed half a second after a gap in which no recorder ran.
  const afterDown = addProcess({
    pid: PID.afterDown,
    parent: systemd,
    started: at(650),
    ended: at(1000.5001),
    status: 9,
    comm: 'survivor',
    exe: '/opt/survivor',
    args: ['survivor'],
  });
  addSignal({
    time: at(1000.5),
    sig: 9,
    sender: bash,
    target: afterDown,
    mechanism: 'kill',
    targetArg: PID.afterDown,
  });

  addExec(bash, at(700), '/usr/bin/nonexistent', ['nonexistent', '--help'], -2);
}

function addLedger(db: Database.Database): void {
  db.prepare("INSERT INTO boot (boot_id) VALUES ('11111111-2222-3333-4444-555555555555')").run();
  const recording = db.prepare(`INSERT INTO recording
    (boot, started, updated, ended, ending, host, kernel, version, pid, scope, options, probes, seen, stored)
    VALUES (1, ?, ?, ?, ?, 'fixture', '6.18.0', '0.1.0', ?, 'machine', '{}', '[]', ?, ?)`);
  recording.run(START, at(900), at(900), 'stopped', 700, 520, 500);
  recording.run(at(1000), at(1200), null, null, 701, 80, 80);
  const gap = db.prepare(
    'INSERT INTO coverage (recording, from_time, to_time, kind, event, lane, count, cause) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  gap.run(1, at(409.5), at(409.9), 'lost', 'signal', 'bulk', 14, 'the bulk lane was full');
  gap.run(1, at(120), at(121), 'lost', 'exec', 'bulk', 6, 'the bulk lane was full');
  gap.run(2, at(900), at(1000), 'down', null, null, null, 'no recorder ran');
  gap.run(2, at(1100), at(1100), 'clock', null, null, -2_000_000, 'the wall clock was set back');
}
