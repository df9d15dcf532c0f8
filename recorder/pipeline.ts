/**
 * Wires the stages: lanes → apply → rows → one transaction → commit of the lanes. It decides when, and nothing else.
 *
 * The consumer positions move only after the transaction that stored their records has committed, so a batch that
 * could not be stored is still in the lanes' memory, and is tried again.
 */

import { setTimeout as sleep, setImmediate as yieldToLoop } from 'node:timers/promises';
import { SnoopHeader } from '../bpf/wire.gen.js';
import type { Batch, Totals } from './batch.js';
import type { Context } from './context.js';
import type { CoverageRow, Ledger, Tally } from './coverage.js';
import { Fate } from './event-spec.js';
import { applyRecord, TABLES } from './events.js';
import { type Lane, memoryOf, u64 } from './lane.js';
import { log } from './log.js';
import { Pace } from './pace.js';
import { Rates } from './rates.js';
import type { Rows } from './rows.js';
import type { UidSyscallCounter, UidSyscalls } from './uid-syscalls.js';

const COUNTS_MS = 2_000; // how often counts of system calls are stored
const HEARTBEAT_MS = 5_000; // how often it says that it lives when there is nothing to store
const SLICE_RECORDS = 8_192; // records between two looks at timers and signals
const RETRY_MS = 250; // after a batch that could not be stored

/** Where the records come from: the probes, or what plays them in a test. */
export interface Source {
  lethal: Lane;
  bulk: Lane;
  pins: { token: string } | null;
  waiter: { wait(timeoutMs: number): Promise<void>; call(): void };
}

/** Where batches go: `write` is all or nothing, and throws when that is nothing. */
export interface BatchStore {
  readonly rows: number;
  write(batch: Batch): void;
}

export interface PipelineOptions {
  /** Oldest age of a record before its batch is stored. */
  flushMs: number;
  /** Counts of system calls to store with the batches. */
  uidSyscalls?: UidSyscallCounter | null;
}

export class Pipeline {
  readonly #token: string;
  readonly #lethal: Lane;
  readonly #bulk: Lane;
  readonly #waiter: Source['waiter'];
  readonly #pace: Pace;
  readonly #context: Context;
  readonly #rows: Rows[];
  readonly #tally: Tally;
  readonly #ledger: Ledger;
  readonly #store: BatchStore;
  readonly #counter: UidSyscallCounter | null;
  #uidSyscalls: UidSyscalls[] = [];
  readonly #flushMs: number;
  #stopping = false;
  /** Kernel time of the first record of the batch, and when it was taken (performance.now()); 0: the batch is empty. */
  #firstBootNs = 0;
  #firstTaken = 0;
  #pendingCoverage: CoverageRow[] = [];
  readonly #rates = new Rates();
  #lastMove = performance.now();

  constructor(
    source: Source,
    context: Context,
    tally: Tally,
    ledger: Ledger,
    store: BatchStore,
    options: PipelineOptions,
  ) {
    this.#counter = options.uidSyscalls ?? null;
    this.#token = source.pins?.token ?? '';
    this.#lethal = source.lethal;
    this.#bulk = source.bulk;
    this.#waiter = source.waiter;
    this.#pace = new Pace([source.lethal, source.bulk]);
    this.#context = context;
    this.#rows = TABLES.map(table => context.rows(table));
    this.#tally = tally;
    this.#ledger = ledger;
    this.#store = store;
    this.#flushMs = options.flushMs;
  }

  /** Applies the records of the snapshot, all of them of one size, parents first. */
  applySnapshot(records: Uint8Array, recordBytes: number): void {
    const copy = new Uint8Array(records); // aligned, whatever the slice was
    const memory = memoryOf(copy.buffer);
    const starts = Array.from({ length: Math.floor(copy.length / recordBytes) }, (_, i) => i * recordBytes);
    starts.sort((a, b) => u64(memory, a + SnoopHeader.key_start) - u64(memory, b + SnoopHeader.key_start));
    for (const at of starts) applyRecord(this.#context, memory, at, recordBytes);
  }

  /** Enters a gap in the ledger, with the next batch. While that cannot be stored, gaps of one kind grow together. */
  cover(row: CoverageRow): void {
    const last = this.#pendingCoverage.find(
      ({ kind, event, lane, cause }) =>
        kind === row.kind && event === row.event && lane === row.lane && cause === row.cause,
    );
    if (last === undefined || last.count === null || row.count === null) {
      this.#pendingCoverage.push(row);
    } else {
      last.count += row.count;
      last.to = row.to;
    }
  }

  /** Runs until `stop`, then stores what is left. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      const busy = this.#drain(this.#context.clock.bootNow());
      const stored = !this.#isDue() || this.#flush();
      if (!stored) await sleep(RETRY_MS);
      else if (busy) await yieldToLoop();
      else await this.#pause();
    }
  }

  /**
   * With a batch begun, or something in the lanes, for a moment. Else until a record comes: the kernel wakes us for one that
   * finds everything before it given back. The flush did that, and `waiting` is read after it.
   */
  async #pause(): Promise<void> {
    const isIdle = this.#firstTaken === 0 && this.#lethal.waiting + this.#bulk.waiting === 0;
    if (isIdle) {
      await this.#waiter.wait(this.#counter ? COUNTS_MS : HEARTBEAT_MS);
      this.#ledger.look(this.#context.clock.now());
    }
    if (!this.#stopping) await sleep(isIdle ? this.#pace.restAtFirst() : this.#pace.rest());
  }

  /** When the lanes were last read and the store last took a batch, or refused it; performance.now(). */
  get lastMove(): number {
    return this.#lastMove;
  }

  stop(): void {
    this.#stopping = true;
    this.#waiter.call();
  }

  /**
   * Takes and stores everything that is in the lanes. To be called when no more records come, or for what waited there
   * while no recorder ran. A batch that cannot be stored is tried again for some seconds. False: then it stays in the lanes.
   * @param now nanoseconds since boot, when more records may come
   */
  finish(now = Number.POSITIVE_INFINITY): boolean {
    for (let failures = 0; failures < 40; ) {
      const busy = this.#drain(now);
      if (!this.#flush()) failures++;
      else if (!busy) return true;
    }
    return false;
  }

  /**
   * Applies records in the order of kernel time, until the lanes or the room for rows run out. True: there is more.
   * @param now nanoseconds since boot; Infinity: no more records come, so none has to wait for an older one
   */
  #drain(now: number): boolean {
    if (this.#isFull()) return true;
    this.#look(now);
    for (let n = 0; n < SLICE_RECORDS; n++) {
      let lane = this.#older();
      if (lane === null) {
        this.#look(now);
        lane = this.#older();
        if (lane === null) return false;
      }
      if (this.#firstTaken === 0) {
        this.#firstTaken = performance.now();
        this.#firstBootNs = u64(lane.memory, lane.at + SnoopHeader.time);
      }
      const fate = applyRecord(this.#context, lane.memory, lane.at, lane.length);
      lane.take();
      switch (fate) {
        case Fate.stored:
          this.#tally.stored++;
          if (this.#isFull()) return true;
          break;
        case Fate.folded:
          this.#tally.folded++;
          break;
        case Fate.malformed:
          this.#tally.malformed++;
          break;
      }
    }
    return true;
  }

  /** The lethal lane last: whatever is older than a record that was seen in the other is in it by then. */
  #look(now: number): void {
    this.#bulk.look(now);
    this.#lethal.look(now);
  }

  /** The lane with the older record. */
  #older(): Lane | null {
    const lethal = this.#lethal.next();
    const bulk = this.#bulk.next();
    if (!lethal) return bulk ? this.#bulk : null;
    if (!bulk) return this.#lethal;
    return headTime(this.#lethal) <= headTime(this.#bulk) ? this.#lethal : this.#bulk;
  }

  /** A table may not take the next row. */
  #isFull(): boolean {
    for (let i = 0; i < this.#rows.length; i++) if ((this.#rows[i] as Rows).isFull) return true;
    return false;
  }

  #isDue(): boolean {
    const now = performance.now();
    return (
      (this.#firstTaken !== 0 && now - this.#firstTaken >= this.#flushMs) ||
      this.#isFull() ||
      this.#counter?.isDue === true ||
      holdsMuch(this.#lethal) ||
      holdsMuch(this.#bulk) ||
      now - this.#rates.at >= HEARTBEAT_MS
    );
  }

  /** Stores the batch and gives the records back to the kernel. False: it could not be stored, and is kept. */
  #flush(): boolean {
    const { clock, identity, texts, cgroups, repeats } = this.#context;
    const now = clock.now();
    const step = clock.anchor();
    if (step !== 0) {
      const cause = 'the wall clock was stepped; times before and after are not comparable';
      this.cover({ from: now, to: now, kind: 'clock', event: null, lane: null, count: step, cause });
    }
    for (const row of this.#ledger.check(now)) this.cover(row);
    if (this.#counter?.isDue) this.#uidSyscalls.push(...this.#counter.take(now));
    const lagUs = this.#firstTaken === 0 ? 0 : Math.max(0, (clock.bootNow() - this.#firstBootNs) / 1000);
    this.#rates.beat(this.#tally.seen, this.#store.rows);
    try {
      this.#store.write({
        rows: this.#rows,
        processes: identity.table.dirty,
        comms: texts.comms.added,
        paths: texts.paths.added,
        argvs: texts.argvs.added,
        cgroups: cgroups.added,
        coverage: this.#pendingCoverage,
        uidSyscalls: this.#uidSyscalls,
        lanes: {
          token: this.#token,
          lethal: this.#lethal.position,
          bulk: this.#bulk.position,
          accounted: this.#ledger.accounted,
          lost: this.#ledger.lost,
        },
        totals: this.#totals(now, lagUs),
      });
    } catch (error) {
      this.#lastMove = performance.now();
      log('store', `cannot store a batch: ${(error as Error).message}; trying again`);
      return false;
    }
    this.#lastMove = performance.now();
    this.#lethal.commit();
    this.#bulk.commit();
    repeats.clear();
    for (const rows of this.#rows) rows.clear();
    identity.table.clearDirty();
    identity.table.expire(now);
    texts.clear();
    cgroups.added.length = 0;
    this.#pendingCoverage = [];
    this.#uidSyscalls = [];
    this.#firstTaken = 0;
    return true;
  }

  #totals(now: number, lagUs: number): Totals {
    const { seen, stored, folded, lost, malformed, shed } = this.#tally;
    return {
      updated: now,
      seen,
      stored,
      folded,
      lost,
      malformed,
      shed,
      rows: this.#store.rows,
      eventsPerS: this.#rates.events,
      rowsPerS: this.#rates.rows,
      lagUs: Math.round(lagUs),
    };
  }
}

function headTime(lane: Lane): number {
  return u64(lane.memory, lane.at + SnoopHeader.time);
}

/** What is held is room that a storm cannot use, and a batch of few rows is stored in a millisecond. */
function holdsMuch(lane: Lane): boolean {
  return lane.held > lane.bytes / 4;
}
