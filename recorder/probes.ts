/**
 * The probes, and what they share with the recorder: lanes and counters. Either new ones (the compiled object opened, its knobs
 * set, loaded, every program attached, all of it pinned), or those that a recorder left running in the kernel.
 * All or nothing: what fails is undone before the error is thrown.
 */

import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import {
  SnoopCounters,
  SnoopKnobs,
  SnoopScope,
  SnoopScopeCgroup,
  SnoopTreeMark,
  WIRE_BYTES,
} from '../bpf/wire.gen.js';
import { PACKAGE_ROOT } from '../migrations/database.js';
import { SnoopError } from '../migrations/errors.js';
import * as bpf from './libbpf.js';
import {
  digest,
  hasBpffs,
  linkPath,
  makePins,
  newPins,
  type PinSet,
  pinnedLinks,
  removePins,
  unpinLinks,
} from './pins.js';
import { Ring } from './ring.js';
import type { Scope } from './scope.js';
import { Waiter } from './waiter.js';

/** A program, and the tracepoint that it hangs on. */
export interface Probe {
  program: bpf.Handle;
  tracepoint: string;
}

/** The probes of the object: every program on a BTF tracepoint; the one that counts system calls only if asked for. */
function probesOf(object: bpf.Handle, countSyscalls: boolean): Probe[] {
  return bpf
    .programs(object)
    .filter(({ section }) => section.startsWith(TRACEPOINT))
    .map(({ handle, section }) => ({ program: handle, tracepoint: section.slice(TRACEPOINT.length) }))
    .filter(({ tracepoint }) => countSyscalls || tracepoint !== COUNTING);
}

/** The tracepoints that the compiled object needs. */
export function neededTracepoints(countSyscalls: boolean): string[] {
  const object = openObject();
  const names = probesOf(object, countSyscalls).map(probe => probe.tracepoint);
  bpf.closeObject(object);
  return names;
}

const TRACEPOINT = 'tp_btf/';
const COUNTING = 'sys_enter'; // bpf/uid_syscalls.bpf.c
const SNAPSHOT_PROGRAM = 'on_snapshot';
const KERNEL_BTF = '/sys/kernel/btf/vmlinux';
const OBJECT = join(PACKAGE_ROOT, 'dist', 'snooprec.bpf.o');

/** Names the layout of the records: lanes of another one cannot be read. */
export const WIRE = digest(WIRE_BYTES);

export interface ProbeOptions {
  scope: Scope;
  /** Argument bytes kept per exec. */
  argsBytes: number;
  /** Sizes of the lanes in bytes, powers of two. */
  lethalBytes: number;
  bulkBytes: number;
  /** Count the system calls of each user. */
  countSyscalls: boolean;
}

export interface ProbeReport {
  name: string;
  attached: boolean;
}

export class Probes {
  readonly lethal: Ring;
  readonly bulk: Ring;
  readonly waiter: Waiter;
  /** A struct snoop_counters for each CPU. */
  readonly counters: ArrayBuffer;
  readonly report: ProbeReport[];
  /** Descriptor of the map from user id to number of system calls; null: they are not counted. */
  readonly uidSyscalls: number | null;
  /** Where they are pinned; null where there is no bpffs. */
  readonly pins: PinSet | null;
  readonly #snapshot: () => number;
  readonly #detach: () => void;
  readonly #release: () => void;

  private constructor(
    memory: SharedMemory,
    tracepoints: readonly string[],
    pins: PinSet | null,
    snapshot: () => number,
    detach: () => void,
    release: () => void,
  ) {
    this.report = tracepoints.map(name => ({ name, attached: true }));
    this.lethal = memory.lethal;
    this.bulk = memory.bulk;
    this.waiter = memory.waiter;
    this.counters = memory.counters;
    this.uidSyscalls = tracepoints.includes(COUNTING) ? memory.uidSyscalls : null;
    this.pins = pins;
    this.#snapshot = snapshot;
    this.#detach = detach;
    this.#release = release;
  }

  /** Loads and attaches new ones, pinned for this database if it is named and bpffs is there. */
  static load(options: ProbeOptions, db: string | null): Probes {
    const object = openObject();
    const links: bpf.Handle[] = [];
    const pins = db !== null && hasBpffs() ? newPins(db, WIRE, setupOf(options)) : null;
    const detach = () => {
      if (pins) unpinLinks(pins);
      for (const link of links.splice(0)) bpf.detach(link);
    };
    const release = () => {
      if (pins) removePins(pins);
      bpf.closeObject(object);
    };
    try {
      configure(object, options);
      bpf.loadObject(object);
      if (options.scope.kind === 'tree') markTreeRoot(object, options.scope.root);
      const memory = mapShared(name => bpf.mapFd(bpf.map(object, name)));
      const iterator = bpf.attachIterator(bpf.program(object, SNAPSHOT_PROGRAM), 'the snapshot');
      links.push(iterator);
      if (pins) {
        makePins(pins);
        for (const name of SHARED_MAPS) bpf.pinMap(bpf.map(object, name), join(pins.directory, name));
        bpf.pinLink(iterator, join(pins.directory, 'snapshot'));
      }
      const probes = probesOf(object, options.countSyscalls);
      for (const { program, tracepoint } of probes) {
        const link = bpf.attach(program, tracepoint);
        links.push(link);
        if (pins) bpf.pinLink(link, linkPath(pins, tracepoint));
      }
      return new Probes(
        memory,
        probes.map(probe => probe.tracepoint),
        pins,
        () => bpf.readIterator(iterator),
        detach,
        release,
      );
    } catch (error) {
      detach();
      release();
      throw error;
    }
  }

  /** Takes over those of an earlier recorder. Throws when the set is not complete. */
  static inherit(pins: PinSet): Probes {
    const memory = mapShared(name => bpf.openPinned(join(pins.directory, name)));
    const snapshot = join(pins.directory, 'snapshot');
    return new Probes(
      memory,
      pinnedLinks(pins),
      pins,
      () => openSync(snapshot, 'r'),
      () => unpinLinks(pins),
      () => removePins(pins),
    );
  }

  /** The records of the processes that exist now, in one buffer. */
  snapshot(): Uint8Array {
    const fd = this.#snapshot();
    try {
      const chunks: Buffer[] = [];
      for (;;) {
        const chunk = Buffer.alloc(64 << 10);
        const n = readSync(fd, chunk, 0, chunk.length, null);
        if (n === 0) return Buffer.concat(chunks);
        chunks.push(chunk.subarray(0, n));
      }
    } finally {
      closeSync(fd);
    }
  }

  /** Takes the probes off: no more records come. The lanes stay, and stay pinned. */
  detach(): void {
    this.#detach();
  }

  /** Takes the pins away: what is in the lanes is wanted no more. */
  release(): void {
    this.#release();
  }
}

/** Names what is recorded and by which programs: lanes of the same setup go on being used. */
export function setupOf(options: ProbeOptions): string {
  const { scope, argsBytes, lethalBytes, bulkBytes, countSyscalls } = options;
  requireObject();
  return digest([
    readFileSync(OBJECT).toString('base64'),
    scope,
    argsBytes,
    lethalBytes,
    bulkBytes,
    countSyscalls,
  ]);
}

interface SharedMemory {
  lethal: Ring;
  bulk: Ring;
  waiter: Waiter;
  counters: ArrayBuffer;
  uidSyscalls: number;
}

const SHARED_MAPS = ['lane_lethal', 'lane_bulk', 'counters', 'uid_syscalls'] as const;

/** @param open gives a descriptor of a map */
function mapShared(open: (name: (typeof SHARED_MAPS)[number]) => number): SharedMemory {
  const lethal = open('lane_lethal');
  const bulk = open('lane_bulk');
  return {
    lethal: mapLane(lethal),
    bulk: mapLane(bulk),
    waiter: new Waiter([lethal, bulk]),
    counters: mapCounters(open('counters')),
    uidSyscalls: open('uid_syscalls'),
  };
}

/** Longer than any record (bpf/scratch.bpf.h): so much of the second copy of the data is mapped, for what is mapped counts as resident. */
const RECORD_BYTES_MAX = 256 << 10;

/** kernel/bpf/ringbuf.c, ringbuf_map_mmap_user: the consumer page, the producer page, the data twice. */
function mapLane(fd: number): Ring {
  const bytes = bpf.maxEntriesOf(fd);
  const page = bpf.pageBytes();
  const consumer = bpf.mapMemory(fd, page, 0, true);
  const shared = bpf.mapMemory(fd, page + bytes + Math.min(bytes, RECORD_BYTES_MAX), page, false);
  return new Ring(consumer, shared, page, bytes);
}

function mapCounters(fd: number): ArrayBuffer {
  return bpf.mapMemory(fd, bpf.maxEntriesOf(fd) * SnoopCounters.bytes, 0, false);
}

function configure(object: bpf.Handle, options: ProbeOptions): void {
  const { scope, argsBytes, lethalBytes, bulkBytes, countSyscalls } = options;
  for (const { handle, section } of bpf.programs(object)) {
    if (!countSyscalls && section === TRACEPOINT + COUNTING) bpf.leaveOut(handle);
  }
  const knobs = new DataView(bpf.initialValue(bpf.map(object, '.rodata.knobs')));
  knobs.setUint32(SnoopKnobs.args_bytes, argsBytes, true);
  if (scope.kind === 'tree') knobs.setUint32(SnoopKnobs.scope, SnoopScope.SCOPE_TREE, true);
  if (scope.kind === 'cgroups') {
    knobs.setUint32(SnoopKnobs.scope, SnoopScope.SCOPE_CGROUPS, true);
    knobs.setUint32(SnoopKnobs.scope_cgroups, scope.cgroups.length, true);
    scope.cgroups.forEach(({ id, level }, i) => {
      const at = SnoopKnobs.scope_cgroup + i * SnoopScopeCgroup.bytes;
      knobs.setBigUint64(at + SnoopScopeCgroup.id, BigInt(id), true);
      knobs.setUint32(at + SnoopScopeCgroup.level, level, true);
    });
  }
  const cpus = bpf.possibleCpus();
  bpf.setMaxEntries(bpf.map(object, 'counters'), cpus);
  bpf.setMaxEntries(bpf.map(object, 'scratch'), cpus);
  bpf.setMaxEntries(bpf.map(object, 'lane_lethal'), lethalBytes);
  bpf.setMaxEntries(bpf.map(object, 'lane_bulk'), bulkBytes);
}

function markTreeRoot(object: bpf.Handle, pid: number): void {
  const bytes = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
  bpf.updateElement(bpf.mapFd(bpf.map(object, 'scope_tree')), bytes(pid), bytes(SnoopTreeMark.TREE_ROOT));
}

function requireObject(): void {
  if (existsSync(OBJECT)) return;
  throw new SnoopError('library', `the compiled probes are missing: ${OBJECT}`, 'build them: npm run build');
}

function openCompiled(): bpf.Handle {
  try {
    return bpf.openObject(OBJECT);
  } catch (cause) {
    if (cause instanceof SnoopError && cause.code === 'library') throw cause; // there is no libbpf
    throw new SnoopError(
      'library',
      `the compiled probes cannot be read: ${OBJECT}`,
      'build them anew: npm run build',
      cause,
    );
  }
}

/** Opens the object, and refuses one that was built with another wire.h. */
function openObject(): bpf.Handle {
  requireObject();
  if (!existsSync(KERNEL_BTF)) {
    throw new SnoopError(
      'kernel',
      `the kernel does not describe its types: ${KERNEL_BTF} (BTF) is missing`,
      'boot a kernel built with CONFIG_DEBUG_INFO_BTF=y, as those of all big distributions are',
    );
  }
  const object = openCompiled();
  for (const [name, bytes] of Object.entries(WIRE_BYTES)) {
    const found = bpf.structBytes(object, name);
    if (found === bytes) continue;
    bpf.closeObject(object);
    throw new SnoopError(
      'library',
      `the compiled probes do not fit this recorder: struct ${name} has ${found} bytes, not ${bytes}`,
      'build both anew: npm run build',
    );
  }
  return object;
}
