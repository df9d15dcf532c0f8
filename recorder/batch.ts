/** What the recorder stores: batches, the counters of its run, and what a run is. */

import type { CgroupRow } from './cgroup.js';
import type { CoverageRow, LaneState } from './coverage.js';
import type { Process } from './process-table.js';
import type { Rows } from './rows.js';
import type { TextRow } from './texts.js';
import type { UidSyscalls } from './uid-syscalls.js';

/** Everything that one transaction stores. */
export interface Batch {
  /** Of each table that records fill. */
  rows: readonly Rows[];
  processes: readonly Process[];
  comms: TextRow[];
  paths: TextRow[];
  argvs: TextRow[];
  cgroups: CgroupRow[];
  coverage: CoverageRow[];
  uidSyscalls: UidSyscalls[];
  lanes: LaneState;
  totals: Totals;
}

/** The counters of a run, as the table `recording` keeps them. */
export interface Totals {
  updated: number;
  seen: number;
  stored: number;
  folded: number;
  lost: number;
  malformed: number;
  shed: number;
  rows: number;
  eventsPerS: number;
  rowsPerS: number;
  lagUs: number;
}

/** What the row of `recording` says of a run from its start. */
export interface RunFacts {
  started: number;
  host: string;
  kernel: string;
  version: string;
  pid: number;
  scope: string;
  options: string;
  /** Names of the users of this machine. */
  users: readonly { uid: number; name: string }[];
}

/** When an earlier run gave its last sign of life, and whether that was a goodbye. */
export interface LastRun {
  lastSeen: number;
  wasKilled: boolean;
  /** What its lanes were made of, if it says so. */
  transport: string | null;
}

export type Ending = 'stopped' | 'interrupted' | 'finished' | 'failed';
