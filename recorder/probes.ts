/**
 * The probes, and what they share with the recorder: lanes and counters. Either new ones (the compiled object opened, its knobs
 * set, loaded, every program attached, all of it pinned), or those that a recorder left running in the kernel.
 * All or nothing: what fails is undone before the error is thrown.
 */

import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { SnoopTreeMark } from '../bpf/wire.gen.js';
import type { Lane } from './lane.js';
import { mapPerf, mapRings, SHARED_MAPS, type SharedMemory } from './lanes.js';
import * as bpf from './libbpf.js';
import { Links } from './links.js';
import { configure, ENTRY, openObject, type ProbeOptions, probesOf, setupOf, WIRE } from './object.js';
import { hasBpffs, makePins, newPins, type PinSet, pinnedLinks, removePins, unpinLinks } from './pins.js';
import type { Waiter } from './waiter.js';

const SNAPSHOT_PROGRAM = 'on_snapshot';

export interface ProbeReport {
  name: string;
  attached: boolean;
}

export class Probes {
  readonly lethal: Lane;
  readonly bulk: Lane;
  readonly waiter: Waiter;
  /** A struct snoop_counters for each CPU. */
  readonly counters: ArrayBuffer;
  readonly report: ProbeReport[];
  /** Descriptor of the map from user id to number of system calls; null: they are not counted. */
  readonly uidSyscalls: number | null;
  /** Where they are pinned; null where there is no bpffs, and with perf events, whose buffers go with who opened them. */
  readonly pins: PinSet | null;
  /** Goes on where an earlier recorder had stored up to, which the consumer positions may not show yet. */
  readonly resume: SharedMemory['resume'];
  readonly #snapshot: () => number;
  readonly #detach: () => void;
  readonly #release: () => void;

  private constructor(
    memory: SharedMemory,
    tracepoints: readonly string[],
    countsSyscalls: boolean,
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
    this.uidSyscalls = countsSyscalls ? memory.uidSyscalls : null;
    this.resume = memory.resume;
    this.pins = pins;
    this.#snapshot = snapshot;
    this.#detach = detach;
    this.#release = release;
  }

  /** Loads and attaches new ones, pinned for this database if it is named and bpffs is there. */
  static load(options: ProbeOptions, db: string | null): Probes {
    const object = openObject();
    const canPin = options.transport === 'ring' && db !== null && hasBpffs();
    const pins = canPin ? newPins(db, WIRE, setupOf(options)) : null;
    const links = new Links(pins);
    const release = () => {
      if (pins) removePins(pins);
      bpf.closeObject(object);
    };
    try {
      configure(object, options);
      bpf.loadObject(object);
      if (options.scope.kind === 'tree') markTreeRoot(object, options.scope.root);
      const open = (name: string) => bpf.mapFd(bpf.map(object, name));
      const memory = options.transport === 'ring' ? mapRings(open) : mapPerf(open, options);
      const iterator = bpf.attachIterator(bpf.program(object, SNAPSHOT_PROGRAM), 'the snapshot');
      links.keep(iterator);
      if (pins) {
        makePins(pins);
        for (const name of SHARED_MAPS) bpf.pin(open(name), join(pins.directory, name));
        bpf.pin(iterator, join(pins.directory, 'snapshot'));
      }
      const probes = probesOf(object, options);
      for (const probe of probes) links.attach(probe);
      return new Probes(
        memory,
        probes.map(probe => probe.tracepoint),
        options.countSyscalls,
        pins,
        () => bpf.readIterator(iterator),
        () => links.detach(),
        release,
      );
    } catch (error) {
      links.detach();
      release();
      throw error;
    }
  }

  /** Takes over those of an earlier recorder. Throws when the set is not complete. */
  static inherit(pins: PinSet): Probes {
    const memory = mapRings(name => bpf.openPinned(join(pins.directory, name)));
    const snapshot = join(pins.directory, 'snapshot');
    const links = pinnedLinks(pins);
    return new Probes(
      memory,
      links,
      links.includes(ENTRY),
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

function markTreeRoot(object: bpf.Handle, pid: number): void {
  const bytes = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
  bpf.updateElement(bpf.mapFd(bpf.map(object, 'scope_tree')), bytes(pid), bytes(SnoopTreeMark.TREE_ROOT));
}
