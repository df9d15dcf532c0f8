/** Who is measured: something that records while a workload runs, or nothing at all. */

import type { Facts } from './programs.js';
import type { Scene } from './scene.js';

/** What a workload does most: by this a peer chooses what it hooks. */
export type Kind = 'calls' | 'signals' | 'execs';

/** A program that does one thing many times. */
export interface Workload {
  /** As the table says it. */
  title: string;
  /** The C program, which takes the number of operations. */
  program: string;
  kind: Kind;
  /** The signal of its calls; of those that send none, 0. */
  sig: number;
  /** Operations in one run. */
  ops: number;
}

/** What a subject says when it is over. */
export interface Outcome {
  /** Share of the events of the workload that it lost, 0 to 1; null: it does not tell. */
  lost: number | null;
  /** Bytes that it wrote; null: it does not tell. */
  bytes: number | null;
}

/** A subject that records. */
export interface Session {
  /** CPU time that it used so far, microseconds. */
  cpuUs(): number;
  close(facts: Facts): Promise<Outcome>;
}

export interface Subject {
  name: string;
  kinds: readonly Kind[];
  /** Share of the operations that it is asked to bear: one that slows them down fiftyfold gets fewer. */
  share: number;
  /** Begins to record; throws Refused when it cannot here. */
  open(scene: Scene, workload: Workload): Promise<Session>;
}

/** The machine, the kernel or the package does not let it be measured. */
export class Refused extends Error {}

/** No peer: the hooks of snooprec with records of its length and nothing in them. Who records the same cannot go below. */
export const LIMIT = 'the hooks and empty records, read in C';

export const UNTRACED: Subject = {
  name: 'untraced',
  kinds: ['calls', 'signals', 'execs'],
  share: 1,
  open: async () => ({
    cpuUs: () => 0,
    close: async () => ({ lost: null, bytes: null }),
  }),
};
