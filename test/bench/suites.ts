/** The suites of the bench, in the order of the table. */

import { measureAnswers } from './answers.js';
import { measureCost } from './cost.js';
import { measureDaemon } from './daemon.js';
import { measureDeath } from './death.js';
import { measureGrowth } from './growth.js';
import { measureLoss } from './loss.js';
import { PEER_SUBJECTS } from './peers.js';
import { measureProfile } from './profile.js';
import { SNOOPREC_SUBJECT } from './recorder.js';
import type { Result } from './result.js';
import type { Scene } from './scene.js';
import { measureStorage } from './storage.js';
import { measureTail } from './tail.js';

/** How much is to be measured. */
export interface Plan {
  quick: boolean;
  rounds: number;
  /** Tells how far it is. */
  say(line: string): void;
}

/** The peer that costs least, and needs nothing that is not there. */
const QUICK_PEER = 'ftrace, spliced';

export type Suite = (scene: Scene, plan: Plan) => Promise<Result[]>;

export const SUITES = {
  cost: (scene, { quick, rounds, say }) => {
    const peers = PEER_SUBJECTS.filter(({ name }) => !quick || name === QUICK_PEER);
    return measureCost(scene, [SNOOPREC_SUBJECT, ...peers], rounds, quick ? 0.1 : 1, say);
  },
  profile: measureProfile,
  loss: measureLoss,
  storage: measureStorage,
  daemon: measureDaemon,
  death: measureDeath,
  answers: measureAnswers,
  tail: measureTail,
  growth: measureGrowth,
} satisfies Record<string, Suite>;
