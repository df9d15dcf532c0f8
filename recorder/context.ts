/** What turning records into rows needs: who is who, what time it is, and where the rows wait. */

import type { Cgroups } from './cgroup.js';
import type { Clock } from './clock.js';
import type { Identity } from './identity.js';
import type { OpenCalls } from './open-calls.js';
import type { Repeats } from './repeats.js';
import type { Rows } from './rows.js';
import type { Table } from './table.js';
import type { Texts } from './texts.js';

export interface Context {
  clock: Clock;
  identity: Identity;
  texts: Texts;
  cgroups: Cgroups;
  calls: OpenCalls;
  /** Size of a page of memory, KiB. */
  pageKb: number;
  /** Rows of `signal` that count records seen lately. */
  repeats: Repeats;
  /** The waiting rows of a table. */
  rows(table: Table): Rows;
}
