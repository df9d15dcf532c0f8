/** The list of questions: what stands here is a command, is in the help, and is tested. The order is the help's. */

import type { AnyQuestion } from '../query.js';
import { ancestry } from './ancestry.js';
import { completion } from './completion.js';
import { coverage } from './coverage.js';
import { execs } from './execs.js';
import { exits } from './exits.js';
import { exportQuestion } from './export.js';
import { killedBy } from './killed-by.js';
import { oom } from './oom.js';
import { parents } from './parents.js';
import { report } from './report.js';
import { schema } from './schema.js';
import { signals } from './signals.js';
import { sql } from './sql.js';
import { tail } from './tail.js';
import { timeline } from './timeline.js';
import { top } from './top.js';
import { tree } from './tree.js';
import { whoKilled } from './who-killed.js';
import { whyExit } from './why-exit.js';

export const questions: readonly AnyQuestion[] = [
  whoKilled,
  whyExit,
  killedBy,
  signals,
  execs,
  exits,
  oom,
  parents,
  ancestry,
  tree,
  timeline,
  top,
  tail,
  coverage,
  report,
  exportQuestion,
  sql,
  schema,
  completion,
];
