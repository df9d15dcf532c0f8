/** Reports and exports of what the kernel did: of 23 things, exactly 23. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CASE_FILES } from '../../query/case.js';
import { cannotRecord, Lab } from './lab.js';

const skip = cannotRecord;
const COUNT = 23;

interface Trace {
  traceEvents: { ph: string; cat?: string; name: string; args?: Record<string, unknown> }[];
}

test('a report, a trace and a case of 23 killed children have them all, and none else', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  // Not part of the story: it is killed too, but by another one.
  lab.inside('/bin/bash', '-c', 'sleep 100 & kill -KILL $!; wait');
  const script = `echo shell=$$; for i in $(seq ${COUNT}); do /bin/sleep 100 & p="$p $!"; done; echo last=$!; /bin/sleep 0.2; kill -TERM $p; wait; :`;
  const { facts } = lab.inside('/bin/bash', '-c', script);
  lab.stop();
  const shell = facts.get('shell') ?? '';
  const last = facts.get('last') ?? '';

  const trace = JSON.parse(lab.snoopq('export', shell, '--format', 'perfetto', '-o', '-').stdout) as Trace;
  const count = (is: (event: Trace['traceEvents'][number]) => boolean): number =>
    trace.traceEvents.filter(is).length;
  assert.equal(
    count(({ ph, name }) => ph === 's' && name === 'SIGTERM'),
    COUNT,
  );
  assert.equal(
    count(({ ph, name }) => ph === 'f' && name === 'SIGTERM'),
    COUNT,
  );
  assert.equal(
    count(({ ph, cat, args }) => ph === 'X' && cat === 'process' && args?.['ending'] === 'SIGTERM'),
    COUNT,
  );
  assert.equal(
    count(({ name }) => name.includes('SIGKILL')),
    0,
  );

  const mermaid = lab.snoopq('export', shell, '--format', 'mermaid').stdout;
  // One more, which the shell waited for, was not killed.
  assert.match(mermaid, new RegExp(`"sleep ×${COUNT + 1}"`));
  assert.match(mermaid, new RegExp(`==>\\|"SIGTERM ×${COUNT}"\\|`));

  const html = lab.snoopq('report', shell).stdout;
  const story = JSON.parse(/id="story">([^<]*)</.exec(html)?.[1] ?? '') as {
    lives: { ending: string }[];
    signals: { signal: string }[];
  };
  assert.equal(story.lives.filter(({ ending }) => ending === 'SIGTERM').length, COUNT);
  assert.equal(story.signals.filter(({ signal }) => signal === 'SIGTERM').length, COUNT);

  const directory = join(lab.directory, 'case');
  const made = lab.snoopq('export', '--case', last, '-o', directory);
  assert.equal(made.status, 0, made.stderr);
  assert.doesNotMatch(made.stderr, /does not answer/);
  const ask = ['who-killed', last, '--json', '--db'];
  assert.deepEqual(
    JSON.parse(lab.snoopq(...ask, join(directory, CASE_FILES.database)).stdout),
    JSON.parse(lab.snoopq(...ask, lab.db).stdout),
  );
  assert.match(readFileSync(join(directory, CASE_FILES.report), 'utf8'), /Who killed sleep/);
});

test('the story of one member of a killed group shows whom else the call hit', { skip }, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('everyone', 'group', '15');
  lab.stop();
  const html = lab.snoopq('report', facts.get('default') ?? '').stdout;
  const story = JSON.parse(/id="story">([^<]*)</.exec(html)?.[1] ?? '') as {
    lives: { id: number; pid: number }[];
    signals: { sig: number; target_id: number }[];
  };
  const pids = new Map(story.lives.map(({ id, pid }) => [id, pid]));
  const hit = story.signals.filter(({ sig }) => sig === 15).map(({ target_id: id }) => String(pids.get(id)));
  const expected = ['default', 'handle', 'ignore', 'block', 'sender'].map(name => facts.get(name));
  assert.deepEqual(hit.sort(), expected.sort());
});

test('a report is made while the recorder writes', {
  skip,
}, t => {
  const lab = Lab.open(t);
  lab.record();
  const { facts } = lab.inside('/bin/bash', '-c', 'echo shell=$$; /bin/sleep 0.05; :');
  let html = '';
  for (let i = 0; i < 50 && !html.includes('exit 0'); i++) {
    lab.command('/bin/sleep', '0.1');
    html = lab.snoopq('report', facts.get('shell') ?? '').stdout;
  }
  assert.match(html, /<h1>How bash \(pid \d+\) ended<\/h1>/);
  lab.stop();
});
