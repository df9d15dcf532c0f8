/** Secrets on command lines never reach the disk: not the database, its log, its sealed segments, nor what the recorder says. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cannotRecord, Lab } from './lab.js';

const skip = cannotRecord;

/** What nobody may find again; each form has one of its own. */
const SECRETS = Array.from({ length: 14 }, (_, i) => `Qz${i}hunter${i * 7919}x`);

/** Arguments with secrets. The program does not matter but by its name. */
function forms(): string[][] {
  const [a, b, c, d, e, f, g, h, i, j] = SECRETS as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return [
    ['x', '--password', a],
    ['x', `--token=${b}`],
    ['mysql', '-uroot', `-p${c}`],
    ['curl', '-u', `joe:${d}`, 'http://127.0.0.1:1/'],
    ['x', `https://joe:${e}@example.org/`],
    ['x', '-H', `Authorization: Bearer ${f}`],
    ['sh', '-c', `PGPASSWORD=${g} true`],
    ['x', `AWS_SECRET_ACCESS_KEY=${h}`],
    ['sshpass', '-p', i, 'true'],
    ['\xff\xfe', `--secret=${j}`],
  ];
}

test('no form of a secret is found again in any file of the recording, while it is written or after', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  const [, , , , , , , , , , snapshot, cut, failed, path] = SECRETS;
  const early = lab.background('/bin/sh', '-c', 'sleep 1000; :', `--password=${snapshot}`);
  await early.running('sh');
  lab.record('--max-size', '16M');
  for (const [name = '', ...args] of forms())
    lab.inside('/usr/bin/perl', '-e', 'exec {"/bin/true"} @ARGV', name, ...args);
  lab.inside('/usr/bin/perl', '-e', 'exec {"/bin/true"} @ARGV', 'x', 'y'.repeat(40_000), `--password=${cut}`);
  lab.inside('/usr/bin/perl', '-e', 'exec {"/no/such"} @ARGV; exit 0', 'x', `--password=${failed}`);
  lab.inside('/usr/bin/perl', '-e', 'exec {$ARGV[0]} "x"; exit 0', `https://joe:${path}@example.org/x`);
  await sleep(600); // in the log of the database by now
  assertNowhere(lab, 'while it records');
  assert.ok(files(lab).some(file => file.endsWith('-wal')));
  early.kill('SIGKILL');
  lab.stop();
  assertNowhere(lab, 'after it stopped');
  const marked = lab.value("SELECT count(DISTINCT args) FROM argv WHERE args LIKE '%[redacted:%'");
  assert.ok(Number(marked) >= 13, `${marked} argument vectors are marked`);
});

/** Looks for every secret, and for its middle, in all files of the laboratory. */
function assertNowhere(lab: Lab, when: string): void {
  for (const file of files(lab)) {
    const bytes = readFileSync(file);
    for (const secret of SECRETS) {
      assert.equal(bytes.indexOf(secret), -1, `${secret} in ${file} ${when}`);
      assert.equal(bytes.indexOf(secret.slice(1, -1)), -1, `${secret} in ${file} ${when}`);
      assert.equal(bytes.indexOf(Buffer.from(secret, 'utf16le')), -1);
      assert.equal(bytes.indexOf(Buffer.from(secret).toString('base64').slice(0, -3)), -1);
    }
  }
}

function files(lab: Lab): string[] {
  return readdirSync(lab.directory)
    .map(name => join(lab.directory, name))
    .filter(path => statSync(path).isFile());
}

test('equal secrets are known as equal, over a restart too, by a key that only root reads', { skip }, t => {
  const lab = Lab.open(t);
  const marks: string[] = [];
  for (const args of [
    ['x', '--password=correct-horse'],
    ['mysql', '-pcorrect-horse'],
  ]) {
    lab.record();
    lab.inside('/usr/bin/perl', '-e', 'exec {"/bin/true"} @ARGV', ...args);
    lab.stop();
  }
  for (const { args } of lab.rows<{ args: string }>(
    "SELECT args FROM argv WHERE args LIKE '%redacted%' ORDER BY id",
  ))
    marks.push(/\[redacted:([0-9a-f]{8})\]/.exec(args)?.[1] ?? '');
  assert.equal(new Set(marks).size, 1, marks.join(' '));
  assert.ok(marks.length >= 2);
  assert.equal(statSync(join(lab.directory, 'lab.key')).mode & 0o777, 0o600);
});

test('--no-redact keeps them, --no-args keeps none', { skip }, t => {
  const lab = Lab.open(t);
  lab.record('--no-redact');
  lab.inside('/bin/true', '--password=swordfish');
  lab.stop();
  assert.equal(
    lab.value('SELECT count(*) FROM execs WHERE args = \'["/bin/true","--password=swordfish"]\''),
    1,
  );
  lab.record('--no-args');
  lab.inside('/bin/false', 'anything', 'goes');
  lab.stop();
  const [row] = lab.rows("SELECT args, args_truncated, args_bytes FROM execs WHERE comm = 'false'");
  assert.deepEqual(row, { args: '[]', args_truncated: 1, args_bytes: '/bin/false anything goes '.length });
});

test('the command of `snooprec run` is redacted where the run is described', { skip }, t => {
  const lab = Lab.open(t);
  const run = lab.snooprec('run', '--db', lab.db, '--', '/bin/true', '--password=swordfish');
  assert.equal(run.status, 0, run.stderr);
  for (const file of files(lab)) assert.equal(readFileSync(file).indexOf('swordfish'), -1, file);
  assert.match(String(lab.value('SELECT scope FROM recordings')), /^tree \/bin\/true --password=\[redacted:/);
});
