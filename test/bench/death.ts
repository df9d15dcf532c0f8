/** What a recorder loses that is killed again and again in a storm: the test of that promise (test/faults) does it, and tells. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import type { Result } from './result.js';
import type { Scene } from './scene.js';
import { spreadOf } from './spread.js';
import type { Plan } from './suites.js';

const TEST = join(PACKAGE_ROOT, 'dist', 'test', 'faults', 'death.long.test.js');
const RUN_MS = 600_000;

export async function measureDeath(_: Scene, { quick, say }: Plan): Promise<Result[]> {
  const kills = quick ? 3 : 50;
  say(`death: ${kills} kills`);
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--test', '--test-reporter=tap', '--test-name-pattern=times in a storm', TEST],
    { encoding: 'utf8', timeout: RUN_MS, env: { ...process.env, SNOOPREC_KILLS: String(kills) } },
  );
  const [, sent, lost] = /(\d+) numbers sent, (\d+) lost/.exec(stdout) ?? [];
  const isExact = status === 0 && sent !== undefined;
  return [
    {
      measure: `kill -9 of the recorder in a storm, ${kills} times`,
      subject: 'snooprec',
      value: isExact ? spreadOf([Number(lost)]) : null,
      unit: `of ${Number(sent).toLocaleString('en-US')}`,
      lost: isExact ? Number(lost) / Number(sent) : null,
      goal: { most: 0 },
      note: isExact ? 'none is there twice' : 'NOT EACH WAS THERE ONCE',
    },
  ];
}
