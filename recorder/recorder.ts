/**
 * One run of the recorder, from the probes to the last commit: puts the parts together, in the order in which a failure
 * leaves nothing behind and a take-over misses nothing.
 */

import { readFileSync } from 'node:fs';
import { hostname, release } from 'node:os';
import { EvProcess } from '../bpf/wire.gen.js';
import type { Ending, LastRun } from './batch.js';
import { Clock } from './clock.js';
import type { Context } from './context.js';
import { type CoverageRow, Ledger, Tally } from './coverage.js';
import { chooseWays } from './kernel-ways.js';
import { countsIn } from './libbpf.js';
import { clocks } from './libc.js';
import { log } from './log.js';
import { listenerOf, newContext } from './new-context.js';
import { neededTracepoints, type ProbeOptions, setupOf, WIRE } from './object.js';
import type { RecordOptions } from './options.js';
import {
  hasSnapshot,
  holdPins,
  leftPins,
  type PinSet,
  pinDirectories,
  pinnedLinks,
  removePins,
} from './pins.js';
import { Pipeline } from './pipeline.js';
import { Probes } from './probes.js';
import type { Process } from './process-table.js';
import { processFacts } from './procfs.js';
import type { Redactor } from './redact.js';
import { redactorOf, shownOptions } from './redaction.js';
import { scopeText } from './scope.js';
import { Segments } from './segments.js';
import { decodeText } from './text.js';
import { UidSyscallCounter } from './uid-syscalls.js';
import { readUsers } from './users.js';
import { VERSION } from './version.js';
import { warmUp } from './warm-up.js';

/** Names this boot of the machine: random(4). */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Probes with the stages behind them. */
interface Capture {
  probes: Probes;
  ledger: Ledger;
  pipeline: Pipeline;
  /** An earlier recorder attached them. */
  isInherited: boolean;
}

export class Recorder {
  readonly #options: RecordOptions & ProbeOptions;
  readonly #segments: Segments;
  readonly #clock = new Clock(clocks);
  readonly #tally = new Tally();
  readonly #context: Context;
  readonly #redactor: Redactor;
  /** The run before this one. */
  readonly #last: LastRun | null;
  /** What recorders that were killed left running in the kernel. */
  readonly #pins: PinSet[];
  /** The processes that an earlier run left behind as living, and the file that each ran. */
  readonly #left: { process: Process; exe: string | null }[];
  #capture: Capture | undefined;
  /** Gaps found while there is no pipeline to enter them. */
  readonly #gaps: CoverageRow[] = [];
  #running: Promise<void> | undefined;

  /** Opens the recording. Nothing is recorded yet. */
  constructor(options: RecordOptions) {
    this.#options = { ...options, ...chooseWays(options) };
    this.#redactor = redactorOf(options);
    this.#pins = options.scope.kind === 'tree' ? [] : leftPins(options.db);
    this.#segments = new Segments(options, bootId(), () => this.#clock.now());
    try {
      this.#last = this.#segments.lastRun();
      this.#begin();
      this.#left = this.#segments.store.livingProcesses();
      const living = this.#left.map(({ process }) => process);
      const texts = { redactor: this.#redactor, argsBytes: options.argsBytes };
      this.#context = newContext(this.#segments, living, this.#clock, texts);
      this.#segments.listen(listenerOf(this.#context));
    } catch (error) {
      this.#segments.abandon();
      throw error;
    }
  }

  /** Stores what recorders that were killed left in the kernel, and takes their probes off. */
  drain(): void {
    for (const set of this.#pins.splice(0)) this.#drainSet(set);
  }

  /** Attaches every probe, and catches up with what was there before. From then on nothing is missed. */
  attach(): void {
    warmUp();
    const mine = this.#takeMine();
    const inherited = mine && inherit(mine);
    let recordedUntil = this.#last?.lastSeen;
    if (this.#pins.length > 0) {
      this.drain();
      recordedUntil = this.#clock.now();
    }
    const capture = this.#open(inherited ?? this.#load(), inherited !== undefined);
    this.#capture = capture;
    this.#segments.store.attached(capture.probes.report, inherited ? null : this.#clock.now());
    if (recordedUntil !== undefined && !inherited) this.#coverDown(recordedUntil);
    if (inherited) capture.pipeline.finish(); // what the kernel recorded while no recorder ran
    capture.pipeline.applySnapshot(capture.probes.snapshot(), EvProcess.bytes);
    this.#reconcile(this.#clock.now());
    capture.pipeline.finish(this.#clock.bootNow()); // the snapshot is on disk before anyone is told that we record
  }

  /** Directories of the pins in use, for another owner; from now on they are used by descriptor. */
  holdPins(): string[] {
    const pins = this.#capture?.probes.pins;
    if (pins == null) return [];
    const directories = pinDirectories(pins);
    holdPins(pins);
    return directories;
  }

  /** Begins to store what comes. */
  start(): void {
    this.#running = this.#capture?.pipeline.run();
  }

  /** When it last moved: Pipeline.lastMove. */
  get lastMove(): number {
    return this.#capture?.pipeline.lastMove ?? 0;
  }

  /** Ends the run: takes the probes off, stores everything that they wrote, closes the database. Returns the head of its chain. */
  async stop(ending: Ending): Promise<string> {
    const capture = this.#capture;
    capture?.pipeline.stop();
    await this.#running;
    if (capture) this.#finish(capture);
    this.#segments.close(ending, this.#clock.now());
    return this.#segments.store.head.hash.toString('hex');
  }

  /** Undoes everything after a start that failed. Probes that were there before stay, and go on recording. */
  abandon(): void {
    if (this.#capture && !this.#capture.isInherited) {
      this.#capture.probes.detach();
      this.#capture.probes.release();
    }
    this.#segments.abandon();
  }

  #begin(): void {
    const options = shownOptions(this.#options, this.#redactor);
    // Pinned probes recorded on while no recorder ran, so the new run begins where the last one ended.
    const started = this.#pins.length > 0 && this.#last ? this.#last.lastSeen : this.#clock.now();
    this.#segments.begin({
      started,
      host: hostname(),
      kernel: release(),
      version: VERSION,
      pid: process.pid,
      scope: scopeText(options.scope),
      options: JSON.stringify(options),
      users: readUsers(),
    });
  }

  /** The pins of just this setup with all their probes attached: they go on being used. */
  #takeMine(): PinSet | undefined {
    const setup = setupOf(this.#options);
    const needed = neededTracepoints(this.#options).length;
    const at = this.#pins.findIndex(
      set =>
        set.wire === WIRE && set.setup === setup && pinnedLinks(set).length === needed && hasSnapshot(set),
    );
    return at < 0 ? undefined : this.#pins.splice(at, 1)[0];
  }

  #load(): Probes {
    const { scope, db } = this.#options;
    return Probes.load(this.#options, scope.kind === 'tree' ? null : db);
  }

  /** Puts the stages behind probes; goes on at the stored positions of their lanes, if there are any. */
  #open(probes: Probes, isInherited: boolean): Capture {
    const before = probes.pins ? this.#segments.store.laneState(probes.pins.token) : null;
    if (before) probes.resume(before);
    const now = this.#clock.now();
    const ledger = new Ledger(probes.counters, this.#tally, (before && this.#last?.lastSeen) || now, before);
    const { uidSyscalls: fd } = probes;
    const counter = fd === null ? null : new UidSyscallCounter(() => countsIn(fd), now);
    const options = { flushMs: this.#options.flushMs, uidSyscalls: counter };
    const pipeline = new Pipeline(probes, this.#context, this.#tally, ledger, this.#segments, options);
    for (const gap of this.#gaps.splice(0)) pipeline.cover(gap);
    return { probes, ledger, pipeline, isInherited };
  }

  /** Stores what waits in lanes that go out of use: of another build, of other options, or with no one to read them. */
  #drainSet(pins: PinSet): void {
    const probes = pins.wire === WIRE ? inherit(pins) : undefined;
    if (probes) {
      this.#finish(this.#open(probes, true));
      return;
    }
    removePins(pins);
    const [from, to] = [this.#last?.lastSeen ?? this.#clock.now(), this.#clock.now()];
    const cause = 'a recorder of another version had left records in the kernel that this one cannot read';
    this.#cover({ from, to, kind: 'shed', event: null, lane: null, count: null, cause });
  }

  /** Takes probes off and stores what they wrote. What cannot be stored stays pinned, for the next recorder to try. */
  #finish({ probes, ledger, pipeline }: Capture): void {
    probes.detach();
    if (pipeline.finish()) {
      const { kernelSeen, accounted } = ledger;
      if (kernelSeen !== accounted)
        log('ledger', `${kernelSeen} records were seen, ${accounted} are accounted for`);
      probes.release();
    } else {
      log(
        'finish',
        `the last records could not be stored; ${probes.pins ? 'the next start will try again' : 'they are lost'}`,
      );
    }
  }

  #cover(row: CoverageRow): void {
    if (this.#capture) this.#capture.pipeline.cover(row);
    else this.#gaps.push(row);
  }

  #coverDown(from: number): void {
    const cause = causeOfDown(this.#last);
    this.#cover({ from, to: this.#clock.now(), kind: 'down', event: null, lane: null, count: null, cause });
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
      } else if (facts.exe.length > 0 && decodeText(this.#redactor.text(facts.exe)).text !== exe) {
        identity.tellAgain(process);
      }
    }
  }
}

function causeOfDown(last: LastRun | null): string {
  if (!last?.wasKilled) return 'no recorder ran';
  const died = 'the recorder had ended without a goodbye';
  return last.transport === 'perf' ? `${died}, and perf event buffers end with their recorder` : died;
}

/**
 * The probes of a set of pins; undefined, and the set is gone, when a recorder died while it made or removed it. One whose
 * probes are off already is inherited too: its lanes may hold records.
 */
function inherit(pins: PinSet): Probes | undefined {
  try {
    return Probes.inherit(pins);
  } catch {
    removePins(pins);
    return undefined;
  }
}
