/** F28: a million rows do not make the question that matters slow. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { databaseFile, openStore } from '../unit/batches.js';
import { BOOTED_US } from '../unit/world.js';

const SNOOPQ = join(PACKAGE_ROOT, 'dist', 'bin', 'snoopq.js');
const VICTIM = 1_234_567;

/** The shortest of some runs, milliseconds. */
function fastest(...args: string[]): number {
  const run = () => {
    const from = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return performance.now() - from;
  };
  return Math.min(...Array.from({ length: 5 }, run));
}

test('F28: who killed a process is told from a million signals hardly later than node starts', t => {
  const path = databaseFile(t);
  const store = openStore(t, path);
  const db = new Database(path);
  const rows = (n: number) =>
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${n})`;
  db.exec(`
    INSERT INTO comm VALUES (1, 'victim', NULL);
    INSERT INTO process (id, boot, pid, start_ns, started, ended, origin, comm, uid, status, parent)
      ${rows(200_000)} SELECT i, 1, 1100000 + i, i * 1000000, ${BOOTED_US} + i * 1000, ${BOOTED_US} + i * 1000 + 900, 'fork', 1, 0,
        iif(i % 10 = 7, 9, 0), iif(i > 1, i - 1, NULL) FROM n;
    INSERT INTO signal (id, time, count, sig, code, sender, sender_uid, sender_comm, target, target_comm, mechanism, outcome, disposition, syscall)
      ${rows(1_000_000)} SELECT i, ${BOOTED_US} + i * 200 + 800, 1, iif(i % 5 = 0, 9, 10), 0, max(1, i / 5 - 3), 0, 1, max(1, i / 5), 1, 1, 0, 0, 62 FROM n;
  `);
  db.close();
  store.close('stopped', BOOTED_US + 300e6);
  const asked = spawnSync(process.execPath, [SNOOPQ, 'who-killed', String(VICTIM), '--json', '--db', path], {
    encoding: 'utf8',
  });
  assert.equal(JSON.parse(asked.stdout).verdict, 'killed', asked.stderr);
  const node = fastest('-e', '0');
  const by_pid = fastest(SNOOPQ, 'who-killed', String(VICTIM), '--json', '--db', path);
  assert.ok(by_pid < node * 5 + 100, `${by_pid.toFixed(0)} ms, node alone ${node.toFixed(0)} ms`);
  t.diagnostic(
    `F28 who-killed in 1 M signals ≤ node + 60 ms | ${by_pid.toFixed(0)} ms, node -e 0 ${node.toFixed(0)} ms: + ${(by_pid - node).toFixed(0)} ms`,
  );
});
