/** F1 at length: the recorder is killed again and again, at any moment, and nothing is missing and nothing is there twice. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep, setImmediate as yieldToLoop } from 'node:timers/promises';
import { cannotRecord, Lab } from '../kernel/lab.js';
import {
  assertLedger,
  assertNothingLeft,
  endOf,
  FIRST,
  foreground,
  isReady,
  murder,
  numbersOf,
  pinnedPrograms,
  recorderPid,
  segmentsOf,
} from './recorder.js';

const skip = cannotRecord;
const KILLS = Number(process.env['SNOOPREC_KILLS'] ?? 50);
const PER_SECOND = 20_000;

test(`F1: killed ${KILLS} times in a storm, at its start too, it stores every number exactly once`, {
  skip,
}, async t => {
  const lab = Lab.open(t);
  lab.record();
  const storm = lab.background('sequence', String(FIRST), '0', String(PER_SECOND));
  let atStart = 0;
  for (let kills = 0; kills < KILLS; kills++) {
    if (kills % 2 === 0) {
      await sleep(50 + Math.random() * 1450);
      await murder(recorderPid(lab));
    } else {
      // Somewhere between its first instruction and its first batches: nobody waits for it to be ready.
      const recorder = foreground(lab);
      await sleep(Math.random() * 600);
      if (!isReady(lab)) atStart++;
      recorder.kill('SIGKILL');
      await endOf(recorder);
      lab.record();
    }
  }
  if (KILLS % 2 === 1) lab.record();
  storm.kill('SIGTERM');
  const sent = Number((await storm.end()).facts.get('sent'));
  const programs = pinnedPrograms(lab.db);
  lab.stop();
  await assertNothingLeft(lab, programs);

  const totals = assertLedger(lab);
  const runs = lab.value('SELECT count(*) FROM recordings');
  t.diagnostic(
    `${KILLS} kills (${atStart} before it was ready), ${runs} runs, ${sent} numbers sent, ${totals.lost} lost`,
  );
  assert.equal(totals.lost + totals.malformed + totals.shed, 0);
  assert.deepEqual(numbersOf(lab), { rows: sent, numbers: sent, count: sent });
  assert.equal(
    lab.value("SELECT count(*) FROM coverages WHERE kind = 'down'"),
    0,
    'the kernel recorded on all the time',
  );
});

test('F1: killed while it goes on in a new segment, it stores every number exactly once', {
  skip,
}, async t => {
  const lab = Lab.open(t);
  const small = ['--max-size', '64M']; // a segment is an eighth
  lab.record(...small);
  const storm = lab.background('sequence', String(FIRST), '600000', '40000');
  const isEnded = storm.end().then(() => true);
  let kills = 0;
  for (const ms of [0, 5, 10, 20, 50]) {
    const pid = recorderPid(lab);
    const next = `${lab.db}.next`;
    for (const deadline = Date.now() + 8_000; !existsSync(next) && Date.now() < deadline; )
      await yieldToLoop();
    if (existsSync(next)) kills++;
    await sleep(ms);
    await murder(pid);
    lab.record(...small);
  }
  await isEnded;
  const { facts } = await storm.end();
  lab.stop();
  const sent = Number(facts.get('sent'));
  t.diagnostic(`${kills} of 5 kills while a segment was made; ${segmentsOf(lab).length} segments`);
  assert.deepEqual(numbersOf(lab), { rows: sent, numbers: sent, count: sent });
  for (const path of segmentsOf(lab))
    assert.equal(lab.command('sqlite3', path, 'PRAGMA integrity_check').stdout, 'ok\n');
});
