/** The unit for systemd: what it says, how closed in it is, and that a recorder works within that. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_DATABASE, PACKAGE_ROOT } from '../../migrations/database.js';
import { isMoving } from '../../recorder/service-manager.js';
import { CAPABILITIES, installUnit, removeUnit, unitText } from '../../recorder/service-unit.js';
import { cannotRecord, Lab } from '../kernel/lab.js';
import { recorderPid } from './recorder.js';

const EXPOSURE_MAX = 2.5;
const WATCHDOG_MS = 12_000; // an idle recorder moves every 5 s
const analyzer = spawnSync('systemd-analyze', ['--version']).status === 0;
const skip = analyzer ? false : 'systemd-analyze is not installed';
/** CAP_CHOWN, DAC_OVERRIDE, FOWNER, SETGID, SETUID, SYS_PTRACE, PERFMON, BPF: include/uapi/linux/capability.h */
const BY_UNIT = [0n, 1n, 3n, 6n, 7n, 19n, 38n, 39n].reduce((set, bit) => set | (1n << bit), 0n);
const COMMAND = ['/usr/bin/env', 'node', 'start', '--foreground'];

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'snooprec-unit-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function analyze(t: TestContext, ...words: string[]): string {
  const path = join(directory(t), 'snooprec.service');
  writeFileSync(path, unitText(COMMAND));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', [...words, path], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout + stderr;
}

test('systemd understands every line of the unit', { skip }, t => {
  const said = analyze(t, 'verify', '--man=no');
  assert.equal(said, '');
});

test(`systemd finds the unit exposed by at most ${EXPOSURE_MAX} of 10`, { skip }, t => {
  const said = analyze(t, 'security', '--offline=true', '--no-pager');
  const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(said)?.[1]);
  t.diagnostic(`exposure ${exposure}`);
  assert.ok(exposure <= EXPOSURE_MAX, said);
});

test('a program that others may change is not made a service of root', { skip: cannotRecord }, t => {
  const path = directory(t);
  const program = join(path, 'snooprec.js');
  const unit = join(path, 'snooprec.service');
  writeFileSync(program, '');
  assert.throws(
    () => installUnit([program], DEFAULT_DATABASE, unit),
    /can be changed by others than root/,
    'its directory is in /tmp',
  );
  chownSync(program, 65534, 65534);
  assert.throws(
    () => installUnit([program], DEFAULT_DATABASE, unit),
    new RegExp(`${program} can be changed`),
  );
  chownSync(program, 0, 0);
  chmodSync(program, 0o666);
  assert.throws(
    () => installUnit([program], DEFAULT_DATABASE, unit),
    new RegExp(`${program} can be changed`),
  );
  assert.ok(!existsSync(unit));
});

test('what the unit hides from the recorder is not what it runs or writes', { skip: cannotRecord }, t => {
  const unit = join(directory(t), 'snooprec.service');
  for (const db of ['/root/x.db', '/home/ann/x.db', '/var/tmp/x.db'])
    assert.throws(() => installUnit(['/usr/bin/env'], db, unit), /which the unit closes off/);
  assert.ok(!existsSync(unit));
});

test('the unit starts the recorder in the foreground, by absolute paths and words that systemd leaves as they are', t => {
  const unit = join(directory(t), 'snooprec.service');
  installUnit(['/usr/bin/env', '--flag=a b', '50%', '$HOME'], DEFAULT_DATABASE, unit);
  assert.equal(statSync(unit).mode & 0o777, 0o644);
  assert.match(readFileSync(unit, 'utf8'), /^ExecStart=\/usr\/bin\/env "--flag=a b" 50%% \$\$HOME$/m);
  const printed = spawnSync(
    process.execPath,
    [join(PACKAGE_ROOT, 'dist', 'bin', 'snooprec.js'), 'install-service', '--print'],
    {
      encoding: 'utf8',
    },
  );
  assert.equal(printed.status, 0, printed.stderr);
  assert.match(printed.stdout, /^ExecStart=\/\S+ \S.*\/snooprec\.js start --foreground$/m);
});

test('installing again changes nothing, what is not ours stays, and it is removed once systemd does not start it', {
  skip: cannotRecord,
}, t => {
  const at = (name: string) => join(directory(t), name);
  const unit = at('snooprec.service');
  const install = (db = DEFAULT_DATABASE) => installUnit(['/usr/bin/env'], db, unit);
  assert.equal(install(), true);
  const { ino } = statSync(unit);
  assert.equal(install(), false);
  assert.equal(statSync(unit).ino, ino);
  assert.equal(install('/srv/my recordings/x.db'), true);
  assert.match(readFileSync(unit, 'utf8'), /^ReadWritePaths=\/sys\/fs\/bpf "\/srv\/my recordings"$/m);
  const enabled = at('enabled');
  symlinkSync(unit, enabled);
  assert.throws(() => removeUnit(unit, enabled), /systemd starts it at boot still/);
  assert.equal(removeUnit(unit, at('none')), true);
  assert.equal(removeUnit(unit, at('none')), false);
  writeFileSync(unit, '[Unit]\nDescription=theirs\n');
  assert.throws(install, /is not ours/);
  assert.throws(() => removeUnit(unit, at('none')), /is not ours/);
  rmSync(unit);
  symlinkSync('/dev/null', unit); // systemctl mask
  assert.throws(install, /is a symbolic link/);
  assert.equal(readlinkSync(unit), '/dev/null');
});

test('the unit records where the configuration or the caller says', { skip: cannotRecord }, t => {
  const config = join(directory(t), 'snooprec.toml');
  writeFileSync(config, 'db = "/srv/one/x.db"\n');
  const print = (...options: string[]) => {
    const words = [
      join(PACKAGE_ROOT, 'dist', 'bin', 'snooprec.js'),
      'install-service',
      '--print',
      ...options,
    ];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return stdout;
  };
  const configured = print('--config', config);
  assert.match(configured, new RegExp(`^ExecStart=.* start --foreground --config=${config}$`, 'm'));
  assert.match(configured, /^ReadWritePaths=\/sys\/fs\/bpf \/srv\/one$/m);
  const given = print('--db', '/srv/two/x.db');
  assert.match(given, /^ExecStart=.* start --foreground --db=\/srv\/two\/x\.db$/m);
  assert.match(given, /^RequiresMountsFor=\/srv\/two$/m);
});

test('a recorder with the capabilities of the unit and no others records, and says who killed', {
  skip: cannotRecord,
}, t => {
  const lab = Lab.open(t);
  const only = CAPABILITIES.map(name => `+${name.slice('CAP_'.length).toLowerCase()}`).join(',');
  const started = lab.command(
    'setpriv',
    `--bounding-set=-all,${only}`,
    '--no-new-privs',
    process.execPath,
    join(PACKAGE_ROOT, 'dist', 'bin', 'snooprec.js'),
    'start',
    '--cgroup',
    lab.cgroup,
  );
  assert.equal(started.status, 0, started.stderr);
  const victim = Number(
    lab.inside('/bin/sh', '-c', 'sleep 1000 & echo victim=$!; kill -9 $!; wait').facts.get('victim'),
  );
  const held = /^CapEff:\s*(\w+)$/m.exec(readFileSync(`/proc/${recorderPid(lab)}/status`, 'latin1'))?.[1];
  lab.stop();
  assert.equal(BigInt(`0x${held}`) & ~BY_UNIT, 0n, 'no other capability');
  assert.deepEqual([lab.whoKilled(victim).mechanism, lab.whoKilled(victim).confidence], ['kill', 'proven']);
});

/** Listens as systemd does; `words` grows while the test goes on. */
async function fakeManager(t: TestContext): Promise<{ path: string; words: string[] }> {
  const path = join(directory(t), 'notify');
  const script = `import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('ready', flush=True)
while True: print(s.recv(4096).decode(), flush=True)`;
  const child = spawn('python3', ['-c', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const words: string[] = [];
  createInterface(child.stdout).on('line', line => words.push(line));
  await until(() => words.shift() === 'ready');
  return { path, words };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    assert.ok(tries < 400, 'it came to nothing');
    await sleep(50);
  }
}

test('the service manager hears when it records, that it moves, nothing while it is stuck, and when it ends', {
  skip: cannotRecord,
}, async t => {
  const lab = Lab.open(t);
  const { path, words } = await fakeManager(t);
  const recorder = spawn(
    process.execPath,
    [
      join(PACKAGE_ROOT, 'dist', 'bin', 'snooprec.js'),
      'start',
      '--foreground',
      '--db',
      lab.db,
      '--cgroup',
      lab.cgroup,
    ],
    {
      env: { ...process.env, NOTIFY_SOCKET: path, WATCHDOG_USEC: String(WATCHDOG_MS * 1000) },
      stdio: 'ignore',
    },
  );
  const ended = new Promise<number | null>(done => recorder.once('exit', done));
  t.after(() => recorder.kill('SIGKILL'));
  await until(() => words.includes('READY=1'));
  await until(() => words.includes('WATCHDOG=1'));
  recorder.kill('SIGSTOP');
  await sleep(100);
  words.splice(0);
  await sleep(WATCHDOG_MS / 2);
  assert.equal(words.length, 0);
  recorder.kill('SIGCONT');
  await until(() => words.includes('WATCHDOG=1'));
  recorder.kill('SIGTERM');
  assert.equal(await ended, 0);
  await until(() => words.includes('STOPPING=1'));
});

test('a recorder whose lanes or store gave no answer for half of the time is silent', () => {
  assert.equal(isMoving(1_000, 900, WATCHDOG_MS), true);
  assert.equal(isMoving(1_000 + WATCHDOG_MS / 2, 1_000, WATCHDOG_MS), false);
});
