/** What only a terminal shows: the pager, the count of seconds, colours. Each test has a pseudo-terminal of its own. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { writeFixture } from './fixture.js';
import { scratchDirectory } from './scratch.js';

const MAIN = join(PACKAGE_ROOT, 'dist', 'bin', 'snoopq.js');
const DIR = scratchDirectory();
const DB = join(DIR, 'fixture.db');
writeFixture(DB);
const HAS = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const skip = HAS('script') ? false : 'there is no script(1), which makes terminals';

/** snoopq on a terminal of 20 lines. */
function onTerminal(words: string, env: Record<string, string> = {}) {
  const command = `stty rows 20 cols 100; exec ${process.execPath} ${MAIN} ${words}`;
  const child = spawn('script', ['-qfec', command, '/dev/null'], {
    env: { PATH: process.env.PATH, TERM: 'xterm', TZ: 'UTC', LANG: 'C.UTF-8', SNOOPREC_DB: DB, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  after(() => child.kill('SIGKILL'));
  const said = { child, text: '', exit: new Promise<number | null>(resolve => child.once('exit', resolve)) };
  child.stdout.on('data', (data: Buffer) => {
    said.text += data;
  });
  return said;
}

/** The pager below a process, when it is there. */
function pagerBelow(pid: number): string | undefined {
  return readdirSync('/proc').find(entry => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      const comm = readFileSync(`/proc/${entry}/comm`, 'utf8').trim();
      return comm === 'less' && isBelow(entry, pid);
    } catch {
      return false; // it ended meanwhile
    }
  });
}

function isBelow(entry: string, ancestor: number): boolean {
  for (let pid = Number(entry); pid > 1; ) {
    if (pid === ancestor) return true;
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    pid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  }
  return false;
}

test('a long answer is shown in less, which may do nothing else and knows nothing else', {
  skip: skip || (HAS('/usr/bin/less') ? false : 'there is no less'),
}, async () => {
  const said = onTerminal('execs', {
    PAGER: `sh -c 'touch ${DIR}/pwned'`,
    LESSOPEN: `|touch ${DIR}/pwned2`,
    SECRET: 'x',
  });
  let pager: string | undefined;
  for (let i = 0; i < 1000 && pager === undefined; i++) {
    await sleep(10);
    pager = pagerBelow(said.child.pid ?? 0);
  }
  assert.ok(pager !== undefined, said.text);
  // Before it has drawn its page it has no hold on the terminal.
  for (let i = 0; i < 1000 && !said.text.includes('14:0'); i++) await sleep(10);
  await sleep(200);
  const environment = readFileSync(`/proc/${pager}/environ`, 'utf8').split('\0').filter(Boolean);
  assert.deepEqual(environment.map(pair => pair.split('=')[0]).sort(), [
    'LANG',
    'LESSHISTFILE',
    'LESSSECURE',
    'TERM',
  ]);
  assert.ok(environment.includes('LESSSECURE=1'));
  // Ctrl-C is for less, and does not leave it behind.
  said.child.stdin.write('\u0003');
  await sleep(200);
  assert.ok(readFileSync(`/proc/${pager}/comm`, 'utf8').startsWith('less'));
  said.child.stdin.write('q');
  assert.equal(await said.exit, 0);
  assert.match(said.text, /6 records were lost/, 'remarks come below');
  assert.deepEqual(
    readdirSync(DIR).filter(name => name.startsWith('pwned')),
    [],
  );
});

test('a short answer, --no-pager and a dumb terminal have no pager', { skip }, async () => {
  for (const [words, env] of [
    ['signals --target 2219', {}],
    ['execs --no-pager', {}],
    ['execs', { TERM: 'dumb' }],
  ] as const) {
    const said = onTerminal(words, env);
    assert.equal(await said.exit, 0, words);
  }
});

test('colours are for terminals that want them', { skip }, async () => {
  const painted = onTerminal('who-killed 2219');
  await painted.exit;
  assert.ok(painted.text.includes('\u001b[1m'));
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    const plain = onTerminal('who-killed 2219', env);
    await plain.exit;
    assert.ok(!plain.text.includes('\u001b['), JSON.stringify(plain.text));
    assert.match(plain.text, /bash \(pid 5978\) killed sleep/);
  }
});

test('an answer that takes longer than a second says so, and takes it back', { skip }, async () => {
  const slow =
    "sql 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000000) SELECT max(i) AS most FROM n'";
  const said = onTerminal(slow);
  assert.equal(await said.exit, 0);
  assert.match(said.text, /\rsnoopq: reading for \d+ s; Ctrl-C ends it [\s\S]*\r\u001b\[K[\s\S]*12000000/);
});
