/** What was executed: which file, asked for how, from where, with which arguments, as whom, by whom. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { cannotRecord, Lab, tool } from './lab.js';

const skip = cannotRecord;
const TRUE = realpathSync('/bin/true');
const SHELL = realpathSync('/bin/sh');
/** Whether the kernel keeps who logged in, and lets us say so. */
const canLogIn =
  spawnSync('/bin/sh', ['-c', 'echo 4242 > /proc/self/loginuid && grep -q 4242 /proc/self/loginuid'])
    .status === 0;

/** A copy of /bin/true in the laboratory. */
function copyOfTrue(lab: Lab, name: string, mode = 0o755): string {
  const path = join(lab.directory, name);
  copyFileSync(TRUE, path);
  chmodSync(path, mode);
  return path;
}

test('the working directory is the one at the exec', { skip }, t => {
  const lab = Lab.open(t);
  mkdirSync(join(lab.directory, 'deep/down'), { recursive: true });
  lab.record();
  lab.inside('/bin/sh', '-c', 'cd deep/down && /bin/true here; cd / && exec /bin/true root');
  lab.stop();
  const cwds = lab.rows(
    "SELECT json_extract(args, '$[1]') AS arg, cwd FROM execs WHERE comm = 'true' ORDER BY id",
  );
  assert.deepEqual(cwds, [
    { arg: 'here', cwd: join(lab.directory, 'deep/down') },
    { arg: 'root', cwd: '/' },
  ]);
});

test('a file is told by its path across mounts, as seen from the mount namespace that ran it', {
  skip,
}, t => {
  const lab = Lab.open(t);
  for (const name of ['memory', 'bound']) mkdirSync(join(lab.directory, name));
  lab.record();
  const script = `mount -t tmpfs none memory && cp ${TRUE} memory/copied && memory/copied
    mount --bind "$(dirname ${TRUE})" bound && bound/true
    mkdir memory/inner && mount -t tmpfs none memory/inner && cp ${TRUE} memory/inner/deep && cd memory/inner && ./deep`;
  const ran = lab.inside('/usr/bin/unshare', '--mount', '/bin/sh', '-ec', script);
  lab.stop();
  assert.equal(ran.status, 0, ran.stderr);
  const exes = lab.rows(
    "SELECT filename, exe, cwd FROM execs WHERE comm IN ('copied', 'true', 'deep') ORDER BY id",
  );
  assert.deepEqual(exes, [
    { filename: 'memory/copied', exe: join(lab.directory, 'memory/copied'), cwd: lab.directory },
    { filename: 'bound/true', exe: join(lab.directory, 'bound/true'), cwd: lab.directory },
    {
      filename: './deep',
      exe: join(lab.directory, 'memory/inner/deep'),
      cwd: join(lab.directory, 'memory/inner'),
    },
  ]);
});

test('a file that was deleted, or that never had a name, is told as such', { skip }, t => {
  const lab = Lab.open(t);
  const doomed = copyOfTrue(lab, 'doomed');
  lab.record();
  const run = (how: string, path: string) => lab.inside('fdexec', how, path, how);
  const facts = [run('deleted', doomed), run('memfd', TRUE), run('file', TRUE)].map(({ facts }) => facts);
  lab.stop();
  const [deleted, memfd, file] = facts.map(facts =>
    lab
      .rows(
        'SELECT filename, exe, deleted, memfd FROM execs WHERE pid = ? ORDER BY id DESC',
        Number(facts.get('pid')),
      )
      .at(0),
  );
  const filename = `/dev/fd/${facts[0]?.get('fd')}`;
  assert.deepEqual(deleted, { filename, exe: doomed, deleted: 1, memfd: 0 });
  assert.deepEqual(memfd, {
    filename: `/dev/fd/${facts[1]?.get('fd')}`,
    exe: '/memfd:payload',
    deleted: 1,
    memfd: 1,
  });
  assert.deepEqual(file, { filename, exe: TRUE, deleted: 0, memfd: 0 });
});

test('the name that was asked for and the file that runs are two things', { skip }, t => {
  const lab = Lab.open(t);
  symlinkSync(TRUE, join(lab.directory, 'nickname'));
  lab.record();
  lab.inside('/bin/sh', '-c', './nickname');
  lab.stop();
  const [row] = lab.rows("SELECT filename, exe, comm, interpreter FROM execs WHERE comm = 'nickname'");
  assert.deepEqual(row, { filename: './nickname', exe: TRUE, comm: 'nickname', interpreter: null });
});

test('of a script both are told, the script and its interpreter', { skip }, t => {
  const lab = Lab.open(t);
  const script = join(lab.directory, 'script');
  const wrapper = join(lab.directory, 'wrapper');
  writeFileSync(script, '#!/bin/sh -e\nexit 0\n', { mode: 0o755 });
  writeFileSync(wrapper, `#!${script} two\n`, { mode: 0o755 });
  lab.record();
  lab.inside(script, 'one');
  lab.inside(wrapper, 'three');
  lab.stop();
  const row = (comm: string) =>
    lab
      .rows('SELECT filename, exe, interpreter, args FROM execs WHERE comm = ?', comm)
      .map(({ args, ...row }) => ({
        ...row,
        args: JSON.parse(args as string),
      }));
  const common = { exe: SHELL, interpreter: '/bin/sh' };
  assert.deepEqual(row('script'), [{ ...common, filename: script, args: ['/bin/sh', '-e', script, 'one'] }]);
  assert.deepEqual(row('wrapper'), [
    { ...common, filename: wrapper, args: ['/bin/sh', '-e', script, 'two', wrapper, 'three'] },
  ]);
});

test('empty arguments are arguments', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  lab.inside('/bin/true', '', 'a b', '', "it's", '');
  const none = Number(lab.inside('fdexec', 'none', '/bin/true').facts.get('pid'));
  lab.stop();
  const args = (where: string, ...parameters: unknown[]) =>
    lab.rows(`SELECT args, cmdline, args_bytes FROM execs WHERE ${where}`, ...parameters);
  const [full] = args("comm = 'true' AND args <> '[\"\"]'");
  assert.deepEqual(JSON.parse(full?.['args'] as string), ['/bin/true', '', 'a b', '', "it's", '']);
  assert.equal(full?.['cmdline'], `/bin/true '' 'a b' '' 'it'\\''s' ''`);
  assert.equal(full?.['args_bytes'], "/bin/true\0\0a b\0\0it's\0\0".length);
  // Linux 5.18 and later give a program without arguments an empty one.
  const [empty] = args('pid = ? ORDER BY id DESC', none);
  assert.ok(['[""]', '[]'].includes(empty?.['args'] as string), String(empty?.['args']));
});

/** Arguments for /bin/true that take `bytes` in all, each of `size` bytes or less. */
function fill(bytes: number, size: number): string[] {
  const args: string[] = [];
  for (let left = bytes - '/bin/true\0'.length; left > 0; left -= size) {
    const length = Math.min(size, left) - 1;
    args.push(`${args.length}`.padEnd(length, 'x').slice(0, length));
  }
  return args;
}

const MANY = fill(60_000, 200);
const LONG = fill(100_000, 120_000);

test('300 arguments of 60,000 bytes, and one of 100,000, are whole with --args-bytes 128K', { skip }, t => {
  const lab = Lab.open(t);
  lab.record('--args-bytes', '128K');
  lab.inside('/bin/true', ...MANY);
  lab.inside('/bin/true', ...LONG);
  lab.stop();
  assert.equal(MANY.length, 300);
  const rows = lab.rows("SELECT args, args_truncated, args_bytes FROM execs WHERE comm = 'true' ORDER BY id");
  for (const [i, args] of [MANY, LONG].entries()) {
    assert.deepEqual(JSON.parse(rows[i]?.['args'] as string), ['/bin/true', ...args]);
    assert.equal(rows[i]?.['args_truncated'], 0);
  }
  assert.deepEqual(
    rows.map(row => row['args_bytes']),
    [60_000, 100_000],
  );
});

test('what is cut says so, and how long it was', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  lab.inside('/bin/true', ...LONG);
  lab.inside('/bin/true', ...fill(32_768, 40_000));
  lab.inside('/bin/true', ...fill(32_769, 40_000));
  lab.stop();
  const rows = lab.rows("SELECT args, args_truncated, args_bytes FROM execs WHERE comm = 'true' ORDER BY id");
  const told = rows.map(({ args, args_truncated, args_bytes }) => {
    const [name, long] = JSON.parse(args as string) as string[];
    return { name, length: long?.length, args_truncated, args_bytes };
  });
  const name = '/bin/true';
  assert.deepEqual(told, [
    { name, length: 32_758, args_truncated: 1, args_bytes: 100_000 },
    { name, length: 32_757, args_truncated: 0, args_bytes: 32_768 },
    { name, length: 32_758, args_truncated: 1, args_bytes: 32_769 },
  ]);
});

test('execs that failed keep the file, the arguments and the error, by either call', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('failexec', '23');
  lab.stop();
  const pid = Number(facts.get('pid'));
  const rows = lab.rows(
    `SELECT result, filename, args, exe, count(*) AS n FROM execs WHERE pid = ? AND result <> 'ok'
     GROUP BY 1, 2, 3, 4 ORDER BY 1, 2`,
    pid,
  );
  const args = JSON.stringify(['failexec', 'one', 'two words']);
  const memory = rows.find(row => /^\/proc\/self\/fd\/\d+$/.test(row['filename'] as string))?.['filename'];
  assert.deepEqual(rows, [
    { result: 'EACCES', filename: '/etc/passwd', args, exe: null, n: 46 },
    { result: 'ENOENT', filename: '/nonexistent/program', args, exe: null, n: 46 },
    { result: 'ENOEXEC', filename: null, args, exe: null, n: 23 },
    { result: 'ENOEXEC', filename: memory, args, exe: null, n: 23 },
  ]);
  assert.equal(lab.snoopq('execs', '--failed', '--json').status, 0);
  assert.equal(
    lab.value('SELECT exe FROM processes WHERE pid = ?', pid),
    tool('failexec'),
    'the old image lives on',
  );
});

test('an exec by another thread keeps the process, and says which thread it was', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('threads', 'exec', '/bin/true', 'from a thread');
  lab.stop();
  const pid = Number(facts.get('pid'));
  const rows = lab.rows(
    'SELECT pid, comm, old_tid FROM execs WHERE pid IN (?, ?) ORDER BY id DESC',
    pid,
    Number(facts.get('tid')),
  );
  assert.deepEqual(rows[0], { pid, comm: 'true', old_tid: Number(facts.get('tid')) });
  assert.equal(
    lab.value('SELECT count(*) FROM processes WHERE pid IN (?, ?)', pid, Number(facts.get('tid'))),
    1,
  );
});

test('a setuid program runs as its owner on behalf of its caller', { skip }, t => {
  const lab = Lab.open(t);
  const path = copyOfTrue(lab, 'setuid', 0o4755);
  chmodSync(lab.directory, 0o755);
  lab.record();
  const ran = lab.inside('/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', path);
  lab.stop();
  assert.equal(ran.status, 0, ran.stderr);
  const [row] = lab.rows("SELECT uid, euid, gid, egid FROM execs WHERE comm = 'setuid'");
  assert.deepEqual(row, { uid: 65534, euid: 0, gid: 65534, egid: 65534 });
});

test('who logged in, in which session and at which terminal, is told of 23 execs whatever the user is now', {
  skip: skip || (!canLogIn && 'needs audit to set the login user'),
}, t => {
  const lab = Lab.open(t);
  lab.record();
  const script = `echo 4242 > /proc/self/loginuid; echo session=$(cat /proc/self/sessionid); echo tty=$(tty)
    for i in $(seq 23); do setpriv --reuid=65534 --clear-groups /bin/true $i; done`;
  const { facts } = lab.inside('/usr/bin/script', '-q', '-e', '-c', script, '/dev/null');
  lab.inside('/usr/bin/setsid', '-w', '/bin/true', 'alone');
  lab.stop();
  const rows = lab.rows(
    "SELECT loginuid, session, tty, uid, count(*) AS n FROM execs WHERE comm = 'true' GROUP BY 1, 2, 3, 4 ORDER BY n",
  );
  const of = (key: string) => (facts.get(key) as string).trim();
  const told = {
    loginuid: 4242,
    session: Number(of('session')),
    tty: of('tty').replace('/dev/', ''),
    uid: 65534,
  };
  assert.equal(rows.length, 2);
  assert.deepEqual(rows[1], { ...told, n: 23 });
  assert.equal(rows[0]?.['tty'], null, 'no terminal');
  assert.notEqual(rows[0]?.['loginuid'], 4242);
});

test('who spawns a program is counted, and told as what it was at each time', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  lab.inside('/bin/sh', '-c', `/bin/true; /bin/true; exec ${tool('spawn')} 3 /bin/true`);
  lab.stop();
  const answer = lab.snoopq('parents', 'true', '--json');
  assert.equal(answer.status, 0, answer.stderr);
  const parents = JSON.parse(answer.stdout) as Record<string, unknown>[];
  assert.deepEqual(
    parents.map(({ parent_comm, parent_exe, count }) => ({ parent_comm, parent_exe, count })),
    [
      { parent_comm: 'spawn', parent_exe: tool('spawn'), count: 3 },
      { parent_comm: 'sh', parent_exe: SHELL, count: 2 },
    ],
  );
  const times = lab.rows(
    "SELECT min(time) AS first, max(time) AS last FROM execs WHERE comm = 'true' GROUP BY parent_comm ORDER BY parent_comm DESC",
  );
  assert.deepEqual(
    parents.map(({ first, last }) => ({ first, last })),
    times,
  );
  assert.equal(
    lab.value("SELECT count(DISTINCT ppid) FROM execs WHERE comm = 'true'"),
    1,
    'it was one process all the time',
  );
  assert.equal(
    basename(lab.value("SELECT DISTINCT parent_exe FROM execs WHERE parent_comm = 'sh'") as string),
    basename(SHELL),
  );
});
