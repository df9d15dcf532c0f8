/** What an attacker wrote into names, arguments and paths is stored whole, and obeyed by no terminal. */

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cannotRecord, Lab, tool } from './lab.js';

const skip = cannotRecord;

/** As test/tools/hostile.c has them. */
const ARGS = [
  '/bin/true',
  '\x1b]0;owned\x07',
  'two\nlines',
  '\xff\xfe\xc3(',
  '',
  '\xe2\x80\xaetxt.exe',
  '\r\t\x7f',
];
const DIRECTORY = 'in \x1b[2J\u202e\nhere';

/** What a terminal obeys, or shows in another order; line feeds end the lines of an answer, in CSV with a carriage return. */
const UNSAFE = /[\0-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;

interface Scene {
  lab: Lab;
  victim: number;
  killer: number;
  exec: number;
}

/** A victim killed under a hostile name, hostile arguments, a hostile parent that spawns three times, and hostile paths. */
async function scene(lab: Lab): Promise<Scene> {
  mkdirSync(join(lab.directory, DIRECTORY));
  const odd = lab.subgroup('odd \x1b[31m');
  lab.record();
  const victim = await lab.background('/bin/sleep', '1000').running('sleep');
  const killer = lab.inside('hostile', 'comm', '9', String(victim.pid));
  await victim.end();
  const exec = lab.inside('cginto', odd, tool('hostile'), 'args');
  lab.inside('hostile', 'file', lab.directory);
  const spawner = `cd "$1"; name=$(printf '\\033[31mE\\nv\\377'); cp ${tool('spawn')} "$name"; ./"$name" 3 /bin/true; rm "$name"`;
  lab.inside('/bin/sh', '-c', spawner, 'sh', DIRECTORY);
  lab.stop();
  return {
    lab,
    victim: victim.pid,
    killer: Number(killer.facts.get('pid')),
    exec: Number(exec.facts.get('pid')),
  };
}

test('hostile names and arguments are stored whole, and never with a NUL in a text', { skip }, async t => {
  const { lab, exec } = await scene(Lab.open(t));
  const [stored] = lab.rows(
    `SELECT a.args, a.raw FROM exec e JOIN argv a ON a.id = e.argv JOIN process p ON p.id = e.process
     WHERE p.pid = ? ORDER BY e.id DESC`,
    exec,
  );
  assert.ok(stored);
  assert.equal((stored['raw'] as Buffer).toString('latin1'), ARGS.map(arg => `${arg}\0`).join(''));
  const told = JSON.parse(stored['args'] as string) as string[];
  assert.deepEqual(told.slice(0, 3), ARGS.slice(0, 3));
  assert.equal(told[3], '\\xff\\xfe\\xc3(');
  assert.equal(told[5], '\u202etxt.exe');
  const [comm] = lab.rows('SELECT comm, raw FROM comm WHERE raw IS NOT NULL');
  assert.ok(comm);
  assert.equal((comm['raw'] as Buffer).toString('latin1'), '\x1b[31mE\nv\xff');
  assert.equal(
    lab.value("SELECT count(*) FROM argv WHERE raw IS NOT NULL AND args LIKE '%1000%'"),
    0,
    'clean ones have no blob',
  );
  const tables = lab.rows<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
  );
  for (const { name } of tables) {
    for (const { column } of lab.rows<{ column: string }>(
      'SELECT name AS column FROM pragma_table_info(?)',
      name,
    )) {
      const nul = `SELECT count(*) FROM "${name}" WHERE typeof("${column}") = 'text' AND instr(CAST("${column}" AS BLOB), x'00') > 0`;
      assert.equal(lab.value(nul), 0, `${name}.${column}`);
    }
  }
});

test('no answer in any format makes a terminal obey', { skip }, async t => {
  const { lab, victim } = await scene(Lab.open(t));
  const spawned = lab.value(
    "SELECT max(pid) FROM execs WHERE comm = 'true' AND parent_exe LIKE '%spawn' OR parent_comm LIKE '%31mE%'",
  ) as number;
  const questions = [
    ['who-killed', String(victim)],
    ['who-killed', 'true', '--all'],
    ['signals'],
    ['execs'],
    ['exits'],
    ['parents', 'true'],
    ['ancestry', String(spawned)],
    ['sql', 'SELECT * FROM processes'],
  ];
  for (const question of questions) {
    for (const format of ['--plain', '--csv', '--tsv', '--json', '--ndjson']) {
      const answer = lab.snoopq(...question, format);
      const what = `${question.join(' ')} ${format}`;
      assert.equal(answer.status, 0, `${what}: ${answer.stderr}`);
      assertSafe(format === '--csv' ? answer.stdout.replaceAll('\r\n', '\n') : answer.stdout, what);
      assertSafe(answer.stderr, what);
      if (format === '--json') JSON.parse(answer.stdout);
      if (format === '--ndjson') for (const line of answer.stdout.trimEnd().split('\n')) JSON.parse(line);
    }
    const command = [process.execPath, join(tool('..'), '..', 'bin', 'snoopq.js'), ...question, '--no-pager']
      .map(quote)
      .join(' ');
    const onTerminal = lab.command('/usr/bin/env', 'NO_COLOR=1', 'script', '-qec', command, '/dev/null');
    assert.equal(onTerminal.status, 0, onTerminal.stdout);
    assertSafe(onTerminal.stdout.replaceAll('\r\n', '\n'), `${question.join(' ')} on a terminal`);
  }
});

function assertSafe(text: string, what: string): void {
  const found = UNSAFE.exec(text);
  const near = found && JSON.stringify(text.slice(Math.max(0, found.index - 40), found.index + 40));
  // Between fields a tab is the format's own.
  if (found && !(found[0] === '\t' && UNSAFE.exec(text.replaceAll('\t', ' ')) === null))
    assert.fail(`${what}: ${near}`);
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

test('JSON gives back exactly what was executed', { skip }, async t => {
  const { lab, exec, killer, victim } = await scene(Lab.open(t));
  const answer = lab.snoopq('execs', '--json', '--limit', '0');
  const execs = JSON.parse(answer.stdout) as {
    pid: number;
    args: string[];
    cwd: string;
    cgroup: string;
    parent_comm: string;
  }[];
  const hostile = execs.filter(({ pid }) => pid === exec).at(-1);
  assert.deepEqual(hostile?.args.slice(0, 3), ARGS.slice(0, 3));
  assert.match(hostile?.cgroup ?? '', /\/odd \x1b\[31m$/);
  const spawned = execs.filter(({ cwd }) => cwd === join(lab.directory, DIRECTORY));
  assert.ok(spawned.length >= 3, 'the directory has its name');
  const verdict = lab.whoKilled(victim);
  assert.equal(verdict.killer.pid, killer);
  assert.equal(verdict.killer.comm, '\x1b[31mE\nv\\xff');
});

test('the summary of `snooprec run` is clean', { skip }, t => {
  const lab = Lab.open(t);
  const script = `sleep 1000 & ${tool('hostile')} comm 9 $!; wait; name=$(printf '\\033[31mE\\nv'); ln -s /bin/sleep "$name"; ./"$name" 1000 & sleep 0.2; kill -9 $!; wait; rm "$name"`;
  const run = lab.snooprec('run', '--db', lab.db, '--', '/bin/sh', '-c', script);
  assert.match(run.stderr, /was ended by SIGKILL: kill from \d+ \(/);
  assert.equal(run.stderr.match(/was ended by SIGKILL/g)?.length, 2, run.stderr);
  assertSafe(run.stderr, 'run');
});
