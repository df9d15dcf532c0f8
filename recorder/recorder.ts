/**
 * One run of the recorder, from the probes to the last commit: puts the parts together, in the order in which a failure
 * leaves nothing behind.
 */

import { readFileSync } from 'node:fs';
import { hostname, release } from 'node:os';
import { EvProcess } from '../bpf/wire.gen.js';
import { Cgroups } from './cgroup.js';
import { Clock } from './clock.js';
import type { Context } from './context.js';
import { Ledger } from './coverage.js';
import { Identity } from './identity.js';
import { clocks } from './libbpf.js';
import { log } from './log.js';
import { OpenCalls } from './open-calls.js';
import type { RecordOptions } from './options.js';
import { Pipeline } from './pipeline.js';
import { Probes } from './probes.js';
import { ProcessTable } from './process-table.js';
import { processFacts } from './procfs.js';
import { Repeats } from './repeats.js';
import { Rows } from './rows.js';
import { scopeText } from './scope.js';
import { type Ending, Store } from './store.js';
import { EXEC_COLUMNS, OOM_COLUMNS, SIGNAL, SIGNAL_COLUMNS } from './tables.js';
import { Texts } from './texts.js';
import { VERSION } from './version.js';

const SIGNAL_ROWS = 20_000;
const EXEC_ROWS = 8_192;
const OOM_ROWS = 256;

/** Names this boot of the machine: random(4). */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

export class Recorder {
  readonly #probes: Probes;
  readonly #store: Store;
  readonly #pipeline: Pipeline;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  #running: Promise<void> | undefined;

  /** Opens the database, attaches every probe and takes the snapshot. From then on nothing is missed. */
  constructor(options: RecordOptions) {
    this.#store = new Store(options.db, bootId());
    try {
      this.#probes = new Probes(options);
    } catch (error) {
      this.#store.abandon();
      throw error;
    }
    try {
      this.#clock = new Clock(clocks);
      const now = this.#clock.now();
      const last = this.#store.begin({
        started: now,
        host: hostname(),
        kernel: release(),
        version: VERSION,
        pid: process.pid,
        scope: scopeText(options.scope),
        options: JSON.stringify(options),
        probes: JSON.stringify(this.#probes.report),
      });
      const context = this.#context();
      this.#ledger = new Ledger(this.#probes.counters, now);
      this.#pipeline = new Pipeline(this.#probes.lethal, this.#probes.bulk, context, this.#ledger, this.#store, options);
      if (last) {
        const cause = last.wasKilled ? 'the recorder had ended without a goodbye' : 'no recorder ran';
        this.#pipeline.cover({ from: last.lastSeen, to: now, kind: 'down', event: null, lane: null, count: null, cause });
      }
      this.#pipeline.applySnapshot(this.#probes.snapshot(), EvProcess.bytes);
      forgetTheDead(context.identity.table, now);
    } catch (error) {
      this.#probes.close();
      this.#store.abandon();
      throw error;
    }
  }

  #context(): Context {
    const next = this.#store.nextIds();
    const table = new ProcessTable(next.process);
    for (const process of this.#store.livingProcesses()) table.restore(process);
    const texts = new Texts(next);
    const cgroups = new Cgroups(next.cgroup);
    return {
      clock: this.#clock,
      identity: new Identity(table, texts, this.#clock, cgroups, this.#store),
      texts,
      cgroups,
      calls: new OpenCalls(next.call),
      repeats: new Repeats(),
      signals: new Rows(SIGNAL_COLUMNS, SIGNAL_ROWS, SIGNAL.sender),
      execs: new Rows(EXEC_COLUMNS, EXEC_ROWS),
      ooms: new Rows(OOM_COLUMNS, OOM_ROWS),
      nextExec: next.exec,
    };
  }

  /** Begins to store what comes. */
  start(): void {
    this.#running = this.#pipeline.run();
  }

  /** Ends the run: detaches the probes, stores everything that they wrote, closes the database. */
  async stop(ending: Ending): Promise<void> {
    this.#pipeline.stop();
    await this.#running;
    this.#probes.detach();
    this.#pipeline.finish();
    const { kernelSeen, accounted } = this.#ledger;
    if (kernelSeen !== accounted) log('ledger', `${kernelSeen} records were seen, ${accounted} are accounted for`);
    this.#store.close(ending, this.#clock.now());
    this.#probes.close();
  }
}

/** Processes that an earlier run knew and that are gone: their ends were not seen. */
function forgetTheDead(table: ProcessTable, now: number): void {
  for (const process of table.living()) {
    if (processFacts(process.pid, process.start) !== null) continue;
    process.unseenEnd = now;
    table.changed(process);
  }
}
