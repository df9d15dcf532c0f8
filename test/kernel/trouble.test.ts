/** Bad input and trouble: one clear line, a hint, the right exit status, and nothing half done. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { APPLICATION_ID, PACKAGE_ROOT } from '../../migrations/database.js';
import { digest } from '../../recorder/pins.js';
import { cannotRecord, Lab, type Outcome } from './lab.js';

const skip = cannotRecord;
const SNOOPREC = join(PACKAGE_ROOT, 'dist', 'bin', 'snooprec.js');
const OBJECT = join(PACKAGE_ROOT, 'dist', 'snooprec.bpf.o');

/** Everything that the laboratory's directory holds, with its content. */
function contents(lab: Lab): Map<string, string> {
  const names = readdirSync(lab.directory, { recursive: true, withFileTypes: true }).filter(
    entry => !entry.isDirectory(),
  );
  const paths = names
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path => !path.includes('/node_modules'));
  return new Map(
    paths.map(path => [
      path,
      existsSync(path) ? createHash('sha256').update(readFileSync(path)).digest('hex') : '',
    ]),
  );
}

/** Runs what must fail, and looks for what it may have left. */
function refused(lab: Lab, status: number, line: RegExp, attempt: () => Outcome, db = lab.db): void {
  const before = contents(lab);
  const outcome = attempt();
  const what = outcome.stderr + outcome.stdout;
  assert.equal(outcome.status, status, what);
  assert.match(outcome.stderr, /^snooprec: [^\n]+\n(hint: [^\n]+\n)?$/, what);
  assert.match(outcome.stderr, line);
  assert.deepEqual(contents(lab), before, 'no file was made, changed or removed');
  assertNothingRuns(db);
}

function assertNothingRuns(db: string): void {
  assert.ok(!existsSync(join('/sys/fs/bpf/snooprec', digest(db))), 'no pin is left');
  assert.ok(
    !existsSync(join('/run/snooprec', `${createHash('sha256').update(db).digest('hex').slice(0, 16)}.lock`)),
    'no lock is left',
  );
  let left = recorders(db);
  for (let tries = 0; left.length > 0 && tries < 100; tries++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20); // it has said why, and is just ending
    left = recorders(db);
  }
  assert.deepEqual(left, [], 'no process is left');
}

/** The command lines of running recorders of a database. */
function recorders(db: string): string[] {
  const commands = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
  return commands.filter(command => command.includes('snooprec.js') && command.includes(db));
}

/** Runs `snooprec` where shell words, run first in a mount namespace of their own, have changed the machine. */
function where(lab: Lab, changes: string, ...args: string[]): Outcome {
  const script = `${changes}; exec "$@"`;
  return lab.command(
    '/usr/bin/unshare',
    '--mount',
    '/bin/sh',
    '-ec',
    script,
    'sh',
    process.execPath,
    SNOOPREC,
    ...args,
  );
}

/** Starts for the laboratory's cgroup, so that even a start that wrongly works records nobody else. */
const start = (lab: Lab, ...options: string[]): string[] => ['start', '--cgroup', lab.cgroup, ...options];

test('without root nothing is recorded, and the status is 4', { skip }, t => {
  const lab = Lab.open(t);
  for (const args of [['start'], ['start', '--foreground'], ['run', '--', '/bin/true']]) {
    refused(lab, 4, /needs root/, () =>
      lab.command(
        '/usr/bin/setpriv',
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        process.execPath,
        SNOOPREC,
        ...args,
      ),
    );
  }
});

test('without type information of the kernel nothing is recorded', { skip }, t => {
  const lab = Lab.open(t);
  const hidden = 'mount -t tmpfs none /sys/kernel/btf';
  refused(lab, 1, /BTF/, () => where(lab, hidden, ...start(lab)));
  refused(lab, 1, /BTF/, () => where(lab, hidden, 'run', '--db', lab.db, '--', '/bin/true'));
  const check = where(lab, hidden, 'check');
  assert.equal(check.status, 1);
  assert.match(check.stdout, /^FAIL +type information/m);
});

test('without libbpf nothing is recorded', { skip }, t => {
  const lab = Lab.open(t);
  const found = /libbpf\.so\.1 .*=> (\S+)/.exec(lab.command('/sbin/ldconfig', '-p').stdout)?.[1];
  assert.ok(found);
  const hidden = `mount --bind /dev/null ${realpathSync(found)}`;
  refused(lab, 1, /libbpf/, () => where(lab, hidden, ...start(lab)));
  const check = where(lab, hidden, 'check');
  assert.equal(check.status, 1);
  assert.match(check.stdout, /^FAIL +libbpf/m);
});

test('with probes that are cut off or no probes at all nothing is recorded', { skip }, t => {
  const lab = Lab.open(t);
  const whole = readFileSync(OBJECT);
  for (const [name, content] of [
    ['half', whole.subarray(0, whole.length / 2)],
    ['text', 'no program'],
    ['empty', ''],
  ] as const) {
    const path = join(lab.directory, name);
    writeFileSync(path, content);
    refused(lab, 1, /probes/, () => where(lab, `mount --bind ${path} ${OBJECT}`, ...start(lab)));
  }
});

test('with the probes missing from the installation nothing is recorded', { skip }, t => {
  const lab = Lab.open(t);
  const copy = join(lab.directory, 'package');
  for (const part of ['dist/bin', 'migrations', 'package.json'])
    cpSync(join(PACKAGE_ROOT, part), join(copy, part), { recursive: true });
  symlinkSync(realpathSync(join(PACKAGE_ROOT, 'node_modules')), join(copy, 'node_modules'));
  const missing = (...args: string[]) =>
    lab.command(process.execPath, join(copy, 'dist', 'bin', 'snooprec.js'), ...args);
  refused(lab, 1, /probes are missing/, () => missing(...start(lab)));
  const check = missing('check');
  assert.equal(check.status, 1);
  assert.match(check.stdout, /^FAIL +compiled probes/m);
});

test('a database is made only where only root may write, and nothing that is there is touched', {
  skip,
}, t => {
  const lab = Lab.open(t);
  const at = (name: string) => join(lab.directory, name);
  const make = (name: string, applicationId: number, version: number) => {
    const db = new Database(at(name));
    db.exec('CREATE TABLE guest (a)');
    db.pragma(`application_id = ${applicationId}`);
    db.pragma(`user_version = ${version}`);
    db.close();
  };
  make('foreign.db', 0x12345678, 1);
  make('plain.db', 0, 0);
  make('newer.db', APPLICATION_ID, 9_999);
  writeFileSync(at('text.db'), 'dear diary\n'.repeat(1000));
  writeFileSync(at('target.db'), '');
  symlinkSync(at('target.db'), at('link.db'));
  for (const name of ['directory.db', 'open', 'fixed']) mkdirSync(at(name));
  chmodSync(at('open'), 0o777);
  const start = (name: string) => () => lab.snooprec('start', '--cgroup', lab.cgroup, '--db', at(name));
  refused(lab, 1, /foreign\.db is not a snooprec database/, start('foreign.db'), at('foreign.db'));
  refused(lab, 1, /plain\.db is not a snooprec database/, start('plain.db'), at('plain.db'));
  refused(lab, 1, /newer\.db has schema 9999/, start('newer.db'), at('newer.db'));
  refused(lab, 1, /text\.db/, start('text.db'), at('text.db'));
  refused(lab, 1, /link\.db is a symbolic link/, start('link.db'), at('link.db'));
  refused(lab, 1, /directory\.db is a directory/, start('directory.db'), at('directory.db'));
  refused(lab, 1, /open can be written by others/, start('open/new.db'), at('open/new.db'));
  refused(lab, 1, /text\.db is not a directory/, start('text.db/new.db'), at('text.db/new.db'));
  const fixed = at('fixed/deeper/new.db');
  refused(
    lab,
    1,
    /cannot make/,
    () =>
      where(lab, `mount -t tmpfs -o ro none ${at('fixed')}`, 'start', '--cgroup', lab.cgroup, '--db', fixed),
    fixed,
  );
  assert.deepEqual(readdirSync(at('fixed')), []);
});

const USAGE: [args: string[], line: RegExp][] = [
  [['start', '--cgroup', '/nonexistent'], /\/nonexistent is not a cgroup/],
  [['start', '--cgroup', '/etc'], /\/etc is not a cgroup/],
  [['start', '--colour'], /unknown option '--colour'/],
  [['begin'], /unknown command 'begin'/],
  [['start', '--flush', 'soon'], /--flush soon is not a whole number/],
  [['start', '--flush', '-1'], /--flush/],
  [['start', '--flush', '0x10'], /--flush 0x10/],
  [['start', '--args-bytes', '1G'], /--args-bytes 1G/],
  [['start', '--args-bytes', ''], /--args-bytes/],
  [['start', '--bulk-buffer', '5M'], /--bulk-buffer 5M is not a power of two/],
  [['start', '--lethal-buffer', '1'], /--lethal-buffer 1 is not a size/],
  [['start', '--db'], /argument missing/],
  [['start', 'now'], /too many arguments/],
  [['run'], /missing required argument/],
];

test('what makes no sense is refused with status 2', { skip }, t => {
  const lab = Lab.open(t);
  for (const [args, line] of USAGE) refused(lab, 2, line, () => lab.snooprec(...args));
});

test('`run` refuses a command that is not there, before it makes anything', { skip }, t => {
  const lab = Lab.open(t);
  refused(lab, 1, /no-such-command: no such command/, () =>
    lab.snooprec('run', '--db', lab.db, '--', 'no-such-command'),
  );
  refused(lab, 1, /passwd: no such command/, () => lab.snooprec('run', '--db', lab.db, '--', '/etc/passwd'));
});

test('`run` exits as its command did', { skip }, t => {
  const lab = Lab.open(t);
  const run = (script: string) => lab.snooprec('run', '--db', lab.db, '--', 'sh', '-c', script);
  for (const [script, status] of [
    ['exit 0', 0],
    ['exit 7', 7],
    ['kill -TERM $$', 143],
    ['kill -KILL $$', 137],
  ] as const) {
    const outcome = run(script);
    assert.equal(outcome.status, status, outcome.stderr);
  }
  assertNothingRuns(lab.db);
  assert.equal(lab.value('SELECT count(*) FROM recordings'), 4);
  assert.ok(!existsSync(`${lab.db}-wal`));
});

/** DESIGN §7. */
const STATUS_KEYS = [
  'pid',
  'since',
  'db',
  'probes',
  'events',
  'rows',
  'folded',
  'lost',
  'malformed',
  'shed',
  'lag_ms',
  'db_bytes',
];

test('start, start again, status and stop say what is the case', { skip }, t => {
  const lab = Lab.open(t);
  assert.equal(lab.snooprec('status').status, 3);
  const nothing = lab.snooprec('stop');
  assert.equal(nothing.status, 0);
  assert.match(nothing.stdout, /^not running/);
  assertNothingRuns(lab.db);
  assert.deepEqual([...contents(lab)], [], 'to ask makes nothing');

  const first = lab.snooprec('start', '--cgroup', lab.cgroup);
  assert.equal(first.status, 0, first.stderr);
  const pid = /pid (\d+)/.exec(first.stdout)?.[1];
  assert.ok(pid);
  const second = lab.snooprec('start', '--cgroup', lab.cgroup);
  assert.equal(second.status, 0);
  assert.match(second.stdout, new RegExp(`^already running \\(pid ${pid}\\)`));

  const running = lab.snooprec('status', '--json');
  assert.equal(running.status, 0);
  const status = JSON.parse(running.stdout) as Record<string, unknown>;
  for (const key of STATUS_KEYS) assert.ok(key in status, key);
  assert.equal(status['pid'], Number(pid));
  assert.equal(status['db'], lab.db);
  assert.match(status['since'] as string, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
  for (const key of STATUS_KEYS.slice(4)) assert.equal(typeof status[key], 'number', key);
  assert.ok((status['db_bytes'] as number) > 0);
  assert.equal(lab.snooprec('status').status, 0);
  assert.equal(
    lab.command('sqlite3', lab.db, 'SELECT count(*) FROM recordings').stdout,
    '1\n',
    'it opens while it is written',
  );

  lab.stop();
  assert.equal(lab.snooprec('status').status, 3);
  assertNothingRuns(lab.db);
  const stopped = JSON.parse(lab.snooprec('status', '--json').stdout) as Record<string, unknown>;
  for (const key of STATUS_KEYS) assert.ok(key in stopped, key);
  assert.equal(stopped['pid'], null);
  for (const suffix of ['-wal', '-shm', '-journal']) assert.ok(!existsSync(lab.db + suffix), suffix);
  assert.equal(
    lab.command('sqlite3', lab.db, 'PRAGMA integrity_check; PRAGMA journal_mode').stdout,
    'ok\ndelete\n',
  );
});

test('`check` finds this machine fit, and leaves nothing', { skip }, t => {
  const lab = Lab.open(t);
  const check = lab.snooprec('check');
  assert.equal(check.status, 0, check.stdout);
  assert.ok(!/^FAIL/m.test(check.stdout));
  assertNothingRuns(lab.db);
  assert.deepEqual([...contents(lab)], []);
});

test('snoopq tells missing, foreign and empty recordings apart from bad questions', { skip }, t => {
  const lab = Lab.open(t);
  const at = (name: string) => join(lab.directory, name);
  writeFileSync(at('text.db'), 'dear diary\n'.repeat(100));
  writeFileSync(at('zero.db'), '');
  lab.record();
  lab.stop();
  const asked: [status: number, args: string[], line: RegExp][] = [
    [3, ['signals', '--db', at('missing.db')], /there is no recording at/],
    [3, ['signals', '--db', at('text.db')], /is not a snooprec database/],
    [3, ['signals', '--db', at('zero.db')], /is not a snooprec database/],
    [3, ['signals', '--db', lab.directory], /is not a file/],
    [2, ['signals', '--colour'], /unknown option '--colour'/],
    [2, ['who-did-it', '1'], /unknown command/],
    [2, ['signals', '--limit', 'many'], /many/],
    [2, ['signals', '--since', 'the day before'], /the day before/],
    [2, ['sql', 'SELECT a FROM nowhere'], /nowhere/],
    [2, ['sql', 'DELETE FROM signal'], /./],
    [1, ['who-killed', '4194303'], /no process with pid 4194303/],
    [1, ['who-killed', '12x'], /no process named '12x'/],
    [1, ['signals'], /no .*signals/],
    [1, ['execs'], /no execs/],
  ];
  for (const [status, args, line] of asked) {
    const outcome = lab.snoopq(...args);
    const what = `${args.join(' ')}: ${outcome.status} ${outcome.stderr}${outcome.stdout}`;
    assert.equal(outcome.status, status, what);
    assert.match(outcome.stderr, /^snoopq: [^\n]+\n(hint: [^\n]+\n)?$/, what);
    assert.match(outcome.stderr, line, what);
    assert.equal(outcome.stdout, '', what);
  }
  const numbers =
    'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT i FROM n';
  const snoopq = join(PACKAGE_ROOT, 'dist', 'bin', 'snoopq.js');
  const cut = lab.command(
    '/bin/bash',
    '-c',
    '"$@" | head -1; echo "status=$PIPESTATUS"',
    'bash',
    process.execPath,
    snoopq,
    'sql',
    numbers,
    '--limit',
    '0',
  );
  assert.equal(cut.facts.get('status'), '0', cut.stderr);
  assert.equal(cut.stderr, '');
});
