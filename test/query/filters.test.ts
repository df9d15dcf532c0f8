/** Filters: each lets through exactly what it names. Asked of the fixture with a container, users, and files without a name. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { plainPiece } from '../../query/parameters.js';
import { shellLine } from '../../query/shell.js';
import { PID, writeFixture } from './fixture.js';
import { ask } from './io.js';
import { scratchDirectory } from './scratch.js';
import { MANY_BOUNDARIES, split } from './split.js';

process.env.TZ = 'UTC';
const CONTAINER = '4f5bee5c7d2d5a7ce3bd3b1c5c8a1f7ad1f0c7f7d9d1a5a66b1b3a8b3c2d1e0f';
const DIR = scratchDirectory();
const WHOLE = join(DIR, 'filters.db');
writeFixture(WHOLE);
const db = new Database(WHOLE);
// Ids of texts grow with their first use, so the container stands between the units before and after it.
db.pragma('foreign_keys = OFF');
db.exec(`UPDATE cgroup SET id = id + 100 WHERE id > 4000;
  UPDATE process SET cgroup = cgroup + 100 WHERE cgroup > 4000;
  INSERT INTO cgroup (id, path, container) VALUES (4050, '/docker/${CONTAINER}', '${CONTAINER}');
  UPDATE process SET cgroup = 4050 WHERE pid IN (${PID.groupParent}, ${PID.groupHandles}, ${PID.groupDies});
  UPDATE exec SET cgroup = (SELECT cgroup FROM process WHERE id = exec.process);
  INSERT INTO user_name (uid, name) VALUES (1000, 'ann');
  UPDATE exec SET flags = flags | 16 WHERE process = (SELECT id FROM process WHERE pid = ${PID.abort});
  UPDATE exec SET flags = flags | 32 WHERE process = (SELECT id FROM process WHERE pid = ${PID.timer})`);
db.close();
const RECORDINGS = [WHOLE, split(WHOLE, join(DIR, 'ten.db'), MANY_BOUNDARIES)];

/** The values of a column in the answer, in both recordings the same. */
async function column(name: string, ...words: string[]): Promise<unknown[]> {
  const [first, second] = await Promise.all(
    RECORDINGS.map(async path => {
      const { out, err, status } = await ask(path, [...words, '--json']);
      assert.ok(status <= 1, err);
      return (JSON.parse(out) as Record<string, unknown>[]).map(row => row[name]);
    }),
  );
  assert.deepEqual(first, second, words.join(' '));
  return first ?? [];
}

const GROUP = [PID.groupParent, PID.groupHandles, PID.groupDies];

test('a container is found by the first digits of its id, in every list', async () => {
  for (const id of [CONTAINER, CONTAINER.slice(0, 12), CONTAINER.slice(0, 4)]) {
    assert.deepEqual(await column('pid', 'execs', '--container', id), GROUP);
    assert.deepEqual(await column('pid', 'exits', '--container', id), [PID.groupDies, PID.groupHandles]);
    assert.deepEqual(await column('target_pid', 'signals', '--container', id), [
      PID.groupHandles,
      PID.groupDies,
    ]);
    assert.deepEqual(await column('target_pid', 'killed-by', 'bash', '--container', id), [
      PID.groupHandles,
      PID.groupDies,
    ]);
  }
  assert.deepEqual(await column('pid', 'execs', '--container', CONTAINER.slice(1, 9)), []);
  assert.deepEqual(await column('pid', 'execs', '--container', '4*'), [], 'a glob is taken as it stands');
});

test('a unit is meant with or without its suffix, and a name that is only part of it is none', async () => {
  assert.deepEqual(await column('pid', 'execs', '--unit', 'app'), [PID.oomTrigger, PID.oom]);
  assert.deepEqual(await column('pid', 'execs', '--unit', 'app.service'), [PID.oomTrigger, PID.oom]);
  assert.deepEqual(await column('pid', 'execs', '--unit', 'ap'), []);
  assert.deepEqual(await column('pid', 'execs', '--unit', 'app.scope'), []);
  assert.deepEqual(await column('victim_pid', 'oom', '--unit', 'app'), [PID.oom]);
  assert.deepEqual(await column('victim_pid', 'oom', '--unit', 'ssh'), []);
});

test('a user is one of the recorded machine, by number or name', async () => {
  const byNumber = await column('pid', 'exits', '--uid', '1000');
  assert.ok(byNumber.length > 10);
  assert.deepEqual(await column('pid', 'exits', '--uid', 'ann'), byNumber);
  const root = await column('pid', 'exits', '--uid', 'root');
  assert.deepEqual(root, await column('pid', 'exits', '--uid', '0'));
  assert.equal(root.length + byNumber.length, (await column('pid', 'exits')).length);
  const { status, err } = await ask(WHOLE, ['exits', '--uid', 'anne']);
  assert.equal(status, 2);
  assert.match(err, /'anne' is not a user of the recorded machine\nhint: did you mean ann\?/);
});

test('files in memory and deleted files are told apart', async () => {
  assert.deepEqual(await column('pid', 'execs', '--memfd'), [PID.abort]);
  assert.deepEqual(await column('pid', 'execs', '--deleted'), [PID.timer]);
});

test('ends are chosen by status, signal, core and length of life', async () => {
  assert.deepEqual(await column('pid', 'exits', '--status', '3'), [PID.exit3]);
  assert.deepEqual(await column('pid', 'exits', '--signal', 'SEGV'), [PID.segv]);
  assert.deepEqual(await column('pid', 'exits', '--core'), [PID.segv, PID.abort]);
  assert.deepEqual(await column('pid', 'exits', '--shorter', '400ms'), [PID.sigpipe, PID.abort]);
  assert.deepEqual(await column('pid', 'exits', '--longer', '5min'), [PID.afterDown]);
  assert.deepEqual(await column('pid', 'exits', '--pid', String(PID.reused)), [
    PID.reused,
    PID.reused,
    PID.reused,
  ]);
  const killed = await column('exit_signal', 'exits', '--killed');
  assert.ok(killed.length > 5 && killed.every(sig => sig !== null));
});

test('execs are found by file, by name and by parent, from whatever directory', async () => {
  for (const word of ['sleep', '/usr/bin/sleep']) {
    assert.deepEqual(await column('pid', 'execs', '--binary', word), [PID.sleep, PID.wrapped]);
  }
  assert.deepEqual(await column('pid', 'execs', '--binary', 'leep'), []);
  assert.deepEqual(await column('pid', 'execs', '--parent', String(PID.wrapper)), [PID.wrapped]);
  assert.deepEqual(await column('pid', 'execs', '--parent', 'sh'), [PID.wrapped]);
  assert.deepEqual(await column('pid', 'execs', '--parent', '/usr/bin/dash'), [PID.wrapped]);
  assert.deepEqual(await column('pid', 'execs', '--args', 'sleep 99'), [PID.wrapper, PID.wrapped]);
});

test('--at is the span that the word leaves open', async () => {
  assert.deepEqual(await column('target_pid', 'signals', '--at', '14:01'), [
    PID.sleep,
    PID.sleep,
    PID.groupHandles,
    PID.groupDies,
  ]);
  assert.deepEqual(await column('target_pid', 'signals', '--at', '14:01:50'), [
    PID.groupHandles,
    PID.groupDies,
  ]);
  assert.deepEqual(await column('target_pid', 'signals', '--at', '14:01:49'), []);
  assert.equal(
    (await column('pid', 'signals', '--at', 'today')).length,
    (await column('pid', 'signals')).length,
  );
  const { status, err } = await ask(WHOLE, ['signals', '--at', '14:01', '--since', '14:00']);
  assert.equal(status, 2);
  assert.match(err, /--at is a span by itself/);
});

test('words that are none are refused, with a guess', async () => {
  const cases: [string[], RegExp][] = [
    [['signals', '--signal', 'KIL'], /'KIL' is not a signal\nhint: did you mean KILL\?/],
    [['signals', '--mechanism', 'tgkil'], /'tgkil' is no mechanism\nhint: did you mean .*tgkill/],
    [['signals', '--outcome', 'EPREM'], /'EPREM' is no outcome\nhint: did you mean EPERM\?/],
    [['top', '--by', 'sendr'], /'sendr' is no choice for --by\nhint: did you mean sender\?/],
    [['tail', '--event', 'x'], /'x' is no choice for --event\nhint: one of: fork, exec, signal, oom, exit/],
    [['exits', '--shorter', 'long'], /'long' is not a length of time\nhint: try/],
    [['timeline'], /no process is named\nhint: give a pid, a name, --unit or --container/],
    [['timeline', '1', '--unit', 'x'], /a process and a group are two questions/],
    [['tial'], /unknown command 'tial'\nhint: did you mean tail\?/],
    [['tree'], /missing required argument/],
  ];
  for (const [words, message] of cases) {
    const { status, err } = await ask(WHOLE, words);
    assert.equal(status, 2, words.join(' '));
    assert.match(err, message);
  }
});

test('the plain piece of a pattern is in the JSON array wherever the pattern matches the command line', () => {
  const memory = new Database(':memory:');
  const glob = memory.prepare('SELECT ? GLOB ? AS matches').pluck();
  const letter = fc.constantFrom(...'ab-/_ \'"\\é\n[]*?^'.split(''));
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: letter, maxLength: 6 }), { maxLength: 4 }),
      fc.string({ unit: letter, minLength: 1, maxLength: 6 }),
      (args, text) => {
        for (const pattern of [text, `*${text}*`]) {
          if (glob.get(shellLine(args), pattern) === 1) {
            assert.ok(
              JSON.stringify(args).includes(plainPiece(pattern)),
              `${JSON.stringify(args)} ${pattern}`,
            );
          }
        }
      },
    ),
    { numRuns: 3000 },
  );
  assert.equal(plainPiece('*--password*'), '--password');
  assert.equal(plainPiece('[abcdef]x*'), 'x');
  memory.close();
});

test('the shell reads a command line of an answer back', async () => {
  const [cmdline] = await column('cmdline', 'execs', '--binary', 'dash');
  const words = execFileSync('sh', ['-c', `printf '%s\\n' ${cmdline}`], { encoding: 'utf8' });
  assert.equal(words, 'sh\n-c\nsleep 99\n');
});
