/** The list of questions: what stands here is a command, is in the help, and is tested. The order is the help's. */

import type { AnyQuestion } from '../query.js';
import { ancestry } from './ancestry.js';
import { coverage } from './coverage.js';
import { execs } from './execs.js';
import { exits } from './exits.js';
import { exportQuestion } from './export.js';
import { parents } from './parents.js';
import { report } from './report.js';
import { schema } from './schema.js';
import { signals } from './signals.js';
import { sql } from './sql.js';
import { whoKilled } from './who-killed.js';

export const questions: readonly AnyQuestion[] = [
  whoKilled,
  signals,
  execs,
  exits,
  parents,
  ancestry,
  coverage,
  report,
  exportQuestion,
  sql,
  schema,
];
