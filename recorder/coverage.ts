/**
 * The loss ledger. The kernel counts per CPU, lane and type what it had to write and what it could not; the recorder counts
 * what it could not decode or store. Each loss becomes a row with its time span, so that an answer can say what may be
 * missing near it. seen = stored + folded + lost + malformed + shed, always.
 */

import { SnoopCounters, SnoopLane, SnoopType } from '../bpf/wire.gen.js';
import { eventName } from './events.js';

/** A row of `coverage`; times in microseconds. */
export interface CoverageRow {
  from: number;
  to: number;
  kind: 'down' | 'lost' | 'malformed' | 'shed' | 'clock';
  event: string | null;
  lane: string | null;
  count: number | null;
  cause: string;
}

const LANE_NAMES = ['lethal', 'bulk'] as const;
const CELLS = SnoopLane.LANES * SnoopType.TYPES;

/** What became of the records of a run; seen = stored + folded + lost + malformed + shed. */
export class Tally {
  stored = 0;
  folded = 0;
  lost = 0;
  malformed = 0;
  shed = 0;

  get seen(): number {
    return this.stored + this.folded + this.lost + this.malformed + this.shed;
  }
}

/** How far the lanes of one set were read, kept with the rows that were made of them. */
export interface LaneState {
  /** Names the set of lanes: PinSet.token. */
  token: string;
  lethal: number;
  bulk: number;
  /** Records accounted for, lost ones too. */
  accounted: number;
  /** Of these the lost ones, by lane and type. */
  lost: number[];
}

export class Ledger {
  #malformedBefore = 0;
  #accountedBefore: number;
  readonly #tally: Tally;
  readonly #tallyBefore: number;
  #checked: number;
  readonly #lostBefore = new Float64Array(CELLS);
  readonly #counters: Uint32Array;

  /**
   * @param counters the map `counters`: a struct snoop_counters for each CPU
   * @param since    up to when losses are entered already, microseconds
   * @param before   what an earlier run accounted for
   */
  constructor(counters: ArrayBuffer, tally: Tally, since: number, before: LaneState | null) {
    this.#counters = new Uint32Array(counters);
    this.#tally = tally;
    this.#tallyBefore = tally.seen;
    this.#checked = since;
    this.#accountedBefore = before?.accounted ?? 0;
    this.#malformedBefore = tally.malformed;
    if (before) this.#lostBefore.set(before.lost);
  }

  /** Records that the kernel had to write so far. */
  get kernelSeen(): number {
    let sum = 0;
    for (let cell = 0; cell < CELLS; cell++) sum += this.#sum(SnoopCounters.seen, cell);
    return sum;
  }

  /** Of these, the ones that are accounted for, by earlier runs too. */
  get accounted(): number {
    return this.#accountedBefore + this.#tally.seen - this.#tallyBefore;
  }

  /** Losses entered so far, by lane and type. */
  get lost(): number[] {
    return [...this.#lostBefore];
  }

  /** Notes that nothing was lost up to `now`, if that is so: a later loss then begins there. */
  look(now: number): void {
    for (let cell = 0; cell < CELLS; cell++) {
      if (this.#sum(SnoopCounters.lost, cell) !== this.#lostBefore[cell]) return;
    }
    this.#checked = now;
  }

  /** The losses since the last call, as rows up to `now`; none, mostly. */
  check(now: number): CoverageRow[] {
    const rows: CoverageRow[] = [];
    const span = { from: this.#checked, to: now };
    for (let cell = 0; cell < CELLS; cell++) {
      const lost = this.#sum(SnoopCounters.lost, cell);
      const count = lost - (this.#lostBefore[cell] as number);
      if (count === 0) continue;
      this.#lostBefore[cell] = lost;
      this.#tally.lost += count;
      const lane = LANE_NAMES[cell < SnoopType.TYPES ? SnoopLane.LETHAL : SnoopLane.BULK] as string;
      const event = eventName(cell % SnoopType.TYPES);
      rows.push({ ...span, kind: 'lost', event, lane, count, cause: 'the lane was full' });
    }
    const malformed = this.#tally.malformed - this.#malformedBefore;
    if (malformed > 0) {
      this.#malformedBefore = this.#tally.malformed;
      rows.push({
        ...span,
        kind: 'malformed',
        event: null,
        lane: null,
        count: malformed,
        cause: 'the record could not be decoded',
      });
    }
    this.#checked = now;
    return rows;
  }

  /** One counter over all CPUs. */
  #sum(field: SnoopCounters.seen | SnoopCounters.lost, cell: number): number {
    let sum = 0;
    for (let at = field + cell * 8; at < this.#counters.byteLength; at += SnoopCounters.bytes) {
      sum += (this.#counters[(at + 4) >> 2] as number) * 4294967296 + (this.#counters[at >> 2] as number);
    }
    return sum;
  }
}
