/**
 * From the key in a record to the process. One that the table does not know is looked for in the database (it may have
 * been a zombie for long), and else met here for the first time: a lost fork, or a process outside the scope that had to do
 * with one inside. Such a process is marked as repaired, never guessed silently; /proc tells what it still can.
 */

import { SnoopKey } from '../bpf/wire.gen.js';
import type { Cgroups } from './cgroup.js';
import type { Clock } from './clock.js';
import { type Memory, u64 } from './lane.js';
import type { Process, ProcessTable } from './process-table.js';
import { coarseStart, type ProcessFacts, processFacts } from './procfs.js';
import type { Texts } from './texts.js';

const COMM_BYTES = 16;

/** What the database knows of earlier processes of this boot. */
export interface Archive {
  findProcess(pid: number, start: number): Process | null;
}

export class Identity {
  readonly table: ProcessTable;
  readonly #texts: Texts;
  readonly #clock: Clock;
  readonly #cgroups: Cgroups;
  readonly #archive: Archive;

  constructor(table: ProcessTable, texts: Texts, clock: Clock, cgroups: Cgroups, archive: Archive) {
    this.table = table;
    this.#texts = texts;
    this.#clock = clock;
    this.#cgroups = cgroups;
    this.#archive = archive;
  }

  /** The process of the snoop_key at `keyAt`; NULL keys (pid 0: the idle task) have none. */
  at(memory: Memory, keyAt: number): Process | null {
    const pid = memory.i32[(keyAt + SnoopKey.pid) >> 2] as number;
    if (pid === 0) return null;
    const start = u64(memory, keyAt + SnoopKey.start);
    return this.table.find(pid, start) ?? this.#meet(pid, start);
  }

  #meet(pid: number, start: number): Process {
    const bearer = this.table.bearer(pid);
    if (bearer?.start === coarseStart(start)) {
      bearer.start = start; // met as a parent in /proc, which is less exact
      this.table.changed(bearer);
      return bearer;
    }
    const archived = this.#archive.findProcess(pid, start);
    if (archived) return this.table.restore(archived);
    const process = this.table.add(pid, start, this.#clock.wallOf(start), 'repaired');
    this.table.changed(process);
    const facts = processFacts(pid, start);
    if (facts) this.enrich(process, facts);
    return process;
  }

  /** Adds what /proc tells of a process that is not followed from its fork, its ancestors included. */
  enrich(process: Process, facts: ProcessFacts): void {
    process.comm = this.#texts.comm(facts.comm);
    process.exe ??= this.#texts.path(facts.exe);
    process.cwd ??= this.#texts.path(facts.cwd);
    if (facts.cmdline.length > 0) process.argv ??= this.#texts.argv(facts.cmdline, facts.cmdline.length);
    process.uid ??= facts.uid;
    process.nsPid ??= facts.nsPid;
    process.cgroup ??= this.#cgroups.id(facts.cgroup);
    if (process.parent === null && facts.ppid > 0) {
      const parent = this.table.bearer(facts.ppid) ?? this.#meetParent(facts.ppid);
      process.parent = parent?.id ?? null;
    }
    this.table.changed(process);
  }

  #meetParent(pid: number): Process | null {
    const facts = processFacts(pid, null);
    if (!facts) return null;
    const start = facts.startNs;
    const process = this.table.add(pid, start, this.#clock.wallOf(start), 'repaired');
    this.enrich(process, facts);
    return process;
  }

  /** Has all that is known of a living process stored anew, from /proc: the rows that it referred to are lost. */
  tellAgain(process: Process): void {
    process.exec =
      process.parentExec =
      process.comm =
      process.exe =
      process.argv =
      process.cwd =
      process.cgroup =
        null;
    const facts = processFacts(process.pid, process.start);
    if (facts) this.enrich(process, facts);
    this.table.changed(process);
  }

  /**
   * The id of the command name at `at`, and whether it is the one last stored for the process: names change rarely, so
   * most of the time this is four comparisons.
   * @param isLeader it is the name of the process; other threads may have names of their own
   */
  comm(process: Process | null, memory: Memory, at: number, isLeader = true): number {
    const words = process?.commWords;
    const from = at >> 2;
    if (
      words !== undefined &&
      process?.comm != null &&
      words[0] === memory.i32[from] &&
      words[1] === memory.i32[from + 1] &&
      words[2] === memory.i32[from + 2] &&
      words[3] === memory.i32[from + 3]
    ) {
      return process.comm;
    }
    const id = this.#texts.comm(memory.u8.subarray(at, at + COMM_BYTES));
    if (process && words && isLeader) {
      words.set(memory.i32.subarray(from, from + 4));
      if (process.comm !== id) {
        process.comm = id;
        this.table.changed(process);
      }
    }
    return id;
  }
}
