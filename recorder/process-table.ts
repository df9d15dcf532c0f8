/**
 * The recorder's shadow of the kernel's process table. A process is known by pid and start time, never by a pid alone;
 * "who spawned it" (parent) and "what it runs" (exec) are two things. It remembers the dead for a while, for what still
 * arrives about them, and lets the store be asked about those it forgot.
 */

export type Origin = 'fork' | 'snapshot' | 'repaired';

/** A process as the table `process` has it, plus what the recorder needs to find it. Ids are of rows; times microseconds. */
export class Process {
  readonly id: number;
  readonly pid: number;
  /** task_struct.start_boottime, nanoseconds; of a process met in /proc only to the hundredth of a second, until a record tells. */
  start: number;
  started: number;
  origin: Origin;
  nsPid: number | null = null;
  ended: number | null = null;
  unseenEnd: number | null = null;
  parent: number | null = null;
  parentExec: number | null = null;
  exec: number | null = null;
  comm: number | null = null;
  exe: number | null = null;
  argv: number | null = null;
  cwd: number | null = null;
  uid: number | null = null;
  cgroup: number | null = null;
  status: number | null = null;
  userUs: number | null = null;
  systemUs: number | null = null;
  maxRssKb: number | null = null;
  /** Parent at the end, where it is another than at creation. */
  lastParent: number | null = null;
  /** Chosen by the OOM killer: a SIGKILL of the kernel is its work. */
  oomVictim = false;
  /** A signal was delivered to it by default: its end tells the cause no second time. */
  tookDefault = false;
  /** The bytes of its command name as four words, so that an unchanged name costs four comparisons. */
  readonly commWords = new Int32Array(4);
  /** Waits to be written. */
  dirty = false;
  /** The process that bore this pid before, while it is remembered. */
  older: Process | null = null;

  constructor(id: number, pid: number, start: number, started: number, origin: Origin) {
    this.id = id;
    this.pid = pid;
    this.start = start;
    this.started = started;
    this.origin = origin;
  }
}

const GRACE_US = 30_000_000;
const DEAD_MAX = 20_000;

export class ProcessTable {
  /** Processes changed since the last `clearDirty`. */
  #dirty: Process[] = [];
  /** Grows with every change of a process: what was concluded from the table before may not hold any more. */
  changes = 0;
  nextId: number;
  readonly #byPid = new Map<number, Process>();
  /** In the order of their deaths. */
  readonly #dead: Process[] = [];

  constructor(nextId: number) {
    this.nextId = nextId;
  }

  get size(): number {
    return this.#byPid.size;
  }

  /** The process with this key, alive or lately dead. */
  find(pid: number, start: number): Process | null {
    let process = this.#byPid.get(pid) ?? null;
    while (process !== null && process.start !== start) process = process.older;
    return process;
  }

  /** The living process that bears this pid now. */
  bearer(pid: number): Process | null {
    const process = this.#byPid.get(pid);
    return process !== undefined && isLiving(process) ? process : null;
  }

  /** Enters a process that `find` did not know. A bearer of the same pid that was not seen to end has ended by now. */
  add(pid: number, start: number, started: number, origin: Origin): Process {
    return this.#enter(new Process(this.nextId++, pid, start, started, origin));
  }

  /** Enters a process that the database knows already. */
  restore(process: Process): Process {
    return this.#enter(process);
  }

  #enter(process: Process): Process {
    this.changes++;
    const bearer = this.#byPid.get(process.pid);
    if (bearer !== undefined && bearer.start > process.start) {
      // An older life, met late: it takes its place behind the younger one.
      process.older = bearer.older;
      bearer.older = process;
      this.#bury(process, bearer.started);
      return process;
    }
    if (bearer !== undefined) {
      process.older = bearer;
      if (isLiving(bearer)) this.#bury(bearer, process.started);
    }
    this.#byPid.set(process.pid, process);
    if (!isLiving(process)) this.#dead.push(process);
    return process;
  }

  /** Notes that a process was gone by `time`, when the next one bore its pid. */
  #bury(process: Process, time: number): void {
    if (isLiving(process)) {
      process.unseenEnd = time;
      this.changed(process);
    }
    this.#dead.push(process);
  }

  /** To be called after any change of a process that is to be stored. */
  changed(process: Process): void {
    this.changes++;
    if (process.dirty) return;
    process.dirty = true;
    this.#dirty.push(process);
  }

  /** Notes the end of a process; the caller has set the facts. */
  ended(process: Process): void {
    this.changed(process);
    this.#dead.push(process);
  }

  /** The changed processes, to be stored. */
  get dirty(): readonly Process[] {
    return this.#dirty;
  }

  /** They are stored. */
  clearDirty(): void {
    for (const process of this.#dirty) process.dirty = false;
    this.#dirty = [];
  }

  /** Forgets those that died long before `now` (microseconds), and the oldest deaths when there are too many. */
  expire(now: number): void {
    let forget = Math.max(0, this.#dead.length - DEAD_MAX);
    while (forget < this.#dead.length && endOf(this.#dead[forget] as Process) < now - GRACE_US) forget++;
    for (const process of this.#dead.splice(0, forget)) this.#forget(process);
  }

  #forget(process: Process): void {
    const youngest = this.#byPid.get(process.pid);
    if (youngest === process) {
      if (process.older) this.#byPid.set(process.pid, process.older);
      else this.#byPid.delete(process.pid);
      return;
    }
    for (let p = youngest; p; p = p.older ?? undefined) {
      if (p.older === process) p.older = process.older;
    }
  }

  /** All that are not known to have ended. */
  *living(): IterableIterator<Process> {
    for (const process of this.#byPid.values()) {
      if (isLiving(process)) yield process;
    }
  }
}

function isLiving(process: Process): boolean {
  return process.ended === null && process.unseenEnd === null;
}

function endOf(process: Process): number {
  return process.ended ?? process.unseenEnd ?? 0;
}
