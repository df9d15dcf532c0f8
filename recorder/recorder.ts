/**
 * One run of the recorder, from the probes to the last commit: puts the parts together, in the order in which a failure
 * leaves nothing behind and a take-over misses nothing.
 */

import { readFileSync } from 'node:fs';
import { hostname, release } from 'node:os';
import { EvProcess } from '../bpf/wire.gen.js';
import { Cgroups } from './cgroup.js';
import { Clock } from './clock.js';
import type { Context } from './context.js';
import { Ledger, Tally } from './coverage.js';
import { TABLES } from './events.js';
import { Identity } from './identity.js';
import { clocks, countsIn, pageBytes } from './libbpf.js';
import { log } from './log.js';
import { OpenCalls } from './open-calls.js';
import type { RecordOptions } from './options.js';
import { leftPins, type PinSet, removePins } from './pins.js';
import { Pipeline } from './pipeline.js';
import { Probes, setupOf, WIRE } from './probes.js';
import { type Process, ProcessTable } from './process-table.js';
import { processFacts } from './procfs.js';
import { Repeats } from './repeats.js';
import { Rows } from './rows.js';
import { scopeText } from './scope.js';
import { type Listener, Segments } from './segments.js';
import type { Ending, LastRun } from './store.js';
import type { Table } from './table.js';
import { decodeText } from './text.js';
import { Texts } from './texts.js';
import { UidSyscallCounter } from './uid-syscalls.js';
import { usersOf } from './users.js';
import { VERSION } from './version.js';

/** Names this boot of the machine: random(4). */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

export class Recorder {
  readonly #options: RecordOptions;
  readonly #segments: Segments;
  readonly #clock = new Clock(clocks);
  readonly #tally = new Tally();
  readonly #context: Context;
  readonly #probes: Probes;
  readonly #pipeline: Pipeline;
  readonly #ledger: Ledger;
  /** The processes that an earlier run left behind as living, and the file that each ran. */
  readonly #left: { process: Process; exe: string | null }[];
  #running: Promise<void> | undefined;

  /** Opens the database, attaches every probe, and catches up with what was there before. From then on nothing is missed. */
  constructor(options: RecordOptions) {
    this.#options = options;
    this.#segments = new Segments(options, bootId(), () => this.#clock.now());
    let probes: Probes | undefined;
    try {
      const pins = options.scope.kind === 'tree' ? [] : leftPins(options.db);
      const setup = setupOf(options);
      const mine = pins.find(set => set.wire === WIRE && set.setup === setup);
      const inherited = mine && inherit(mine);
      const last = this.#begin(inherited !== undefined);
      this.#left = this.#segments.store.livingProcesses();
      this.#context = this.#makeContext();
      for (const set of pins) if (set !== mine || !inherited) this.#drainLeft(set);
      probes = inherited ?? Probes.load(options, options.scope.kind === 'tree' ? null : options.db);
      this.#probes = probes;
      this.#segments.store.attached(probes.report, inherited ? null : this.#clock.now());
      this.#ledger = this.#makeLedger(probes, last);
      this.#pipeline = this.#makePipeline(probes, this.#ledger);
      this.#segments.listen(this.#listener(this.#context));
      if (last && !inherited) this.#coverDown(last);
      if (inherited) this.#pipeline.finish(); // what the kernel recorded while no recorder ran
      this.#pipeline.applySnapshot(probes.snapshot(), EvProcess.bytes);
      this.#reconcile(this.#clock.now());
      this.#pipeline.finish(); // the snapshot is on disk before anyone is told that we record
    } catch (error) {
      probes?.detach();
      this.#segments.abandon();
      throw error;
    }
  }

  #begin(isInherited: boolean): LastRun | null {
    const { scope } = this.#options;
    const last = this.#segments.lastRun();
    this.#segments.begin({
      // Pinned probes recorded on while no recorder ran, so the new run begins where the last one ended.
      started: isInherited && last ? last.lastSeen : this.#clock.now(),
      host: hostname(),
      kernel: release(),
      version: VERSION,
      pid: process.pid,
      scope: scopeText(scope),
      options: JSON.stringify(this.#options),
      users: usersOf(readFileSync('/etc/passwd', 'utf8')),
    });
    return last;
  }

  #makeContext(): Context {
    const next = this.#segments.store.nextIds();
    const table = new ProcessTable(next.process);
    for (const { process } of this.#left) table.restore(process);
    const texts = new Texts(next);
    const cgroups = new Cgroups(next.cgroup);
    const rows = new Map<Table, Rows>(TABLES.map(table => [table, new Rows(table, this.#segments.store.nextId(table.name))]));
    return {
      clock: this.#clock,
      identity: new Identity(table, texts, this.#clock, cgroups, this.#segments),
      texts,
      cgroups,
      calls: new OpenCalls(),
      pageKb: pageBytes() / 1024,
      repeats: new Repeats(),
      rows: table => rows.get(table) as Rows,
    };
  }

  /** Goes on at the stored positions of these lanes, if there are any. */
  #makeLedger(probes: Probes, last: LastRun | null): Ledger {
    const before = probes.pins ? this.#segments.store.laneState(probes.pins.token) : null;
    if (before) {
      probes.lethal.resume(before.lethal);
      probes.bulk.resume(before.bulk);
    }
    const since = before && last ? last.lastSeen : this.#clock.now();
    return new Ledger(probes.counters, this.#tally, since, before);
  }

  #makePipeline(probes: Probes, ledger: Ledger): Pipeline {
    const { uidSyscalls: fd } = probes;
    const counter = fd === null ? null : new UidSyscallCounter(() => countsIn(fd), this.#clock.now());
    const { flushMs } = this.#options;
    return new Pipeline(probes, this.#context, this.#tally, ledger, this.#segments, { flushMs, uidSyscalls: counter });
  }

  /** Stores what waits in lanes that go out of use: of another build, or of other options. */
  #drainLeft(pins: PinSet): void {
    const probes = pins.wire === WIRE ? inherit(pins) : undefined;
    if (probes === undefined) {
      removePins(pins);
      log('pins', 'dropped what a recorder of another version had left in the kernel');
      return;
    }
    probes.detach();
    this.#makePipeline(probes, this.#makeLedger(probes, this.#segments.lastRun())).finish();
  }

  #coverDown({ lastSeen, wasKilled }: LastRun): void {
    const cause = wasKilled ? 'the recorder had ended without a goodbye' : 'no recorder ran';
    const to = this.#clock.now();
    this.#pipeline.cover({ from: lastSeen, to, kind: 'down', event: null, lane: null, count: null, cause });
  }

  /** Processes that an earlier run left behind may have ended since, or run something else, while nobody recorded. */
  #reconcile(now: number): void {
    const { identity } = this.#context;
    for (const { process, exe } of this.#left.splice(0)) {
      if (process.ended !== null || process.unseenEnd !== null) continue;
      const facts = processFacts(process.pid, process.start);
      if (facts === null) {
        process.unseenEnd = now;
        identity.table.ended(process);
      } else if (facts.exe.length > 0 && decodeText(facts.exe).text !== exe) {
        identity.tellAgain(process);
      }
    }
  }

  /** What has to be told again in a segment that does not have all that the one before had. */
  #listener({ identity, texts, cgroups, rows }: Context): Listener {
    const now = () => this.#clock.now();
    const movedOn = () => {
      texts.forget();
      cgroups.forget();
    };
    return {
      movedOn,
      lostAll() {
        movedOn();
        for (const process of identity.table.living()) identity.tellAgain(process);
      },
      lostSince: (from, why) => {
        const cause = `the segment was set aside: ${why}`;
        this.#pipeline.cover({ from, to: this.#clock.now(), kind: 'shed', event: null, lane: null, count: null, cause });
      },
      *nextIds() {
        yield ['process', identity.table.nextId];
        yield ['cgroup', cgroups.nextId];
        yield* Object.entries(texts.nextIds);
        for (const table of TABLES) yield [table.name, rows(table).firstId];
        // Nobody keeps count of these; the seconds of the epoch grow faster than their ids.
        for (const table of ['coverage', 'uid_syscalls']) yield [table, Math.floor(now() / 1e6)];
      },
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
    this.#segments.close(ending, this.#clock.now());
  }
}

/** The probes of a set of pins; undefined, and the set is gone, when a recorder died while it made or removed it. */
function inherit(pins: PinSet): Probes | undefined {
  try {
    return Probes.inherit(pins);
  } catch {
    removePins(pins);
    return undefined;
  }
}
