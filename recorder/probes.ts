/**
 * The probes: opens the compiled object, sets its knobs, loads it, attaches every program, and maps what it shares with
 * the recorder. All or nothing: what fails is undone before the error is thrown.
 */

import { closeSync, existsSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { SnoopCounters, SnoopKnobs, SnoopScope, SnoopScopeCgroup, SnoopTreeMark, WIRE_BYTES } from '../bpf/wire.gen.js';
import { PACKAGE_ROOT } from '../migrations/database.js';
import { SnoopError } from '../migrations/errors.js';
import * as bpf from './libbpf.js';
import { Ring } from './ring.js';
import type { Scope } from './scope.js';

/** Each program with the tracepoint that it hangs on. */
export const PROBES = [
  { program: 'on_signal_generate', tracepoint: 'signal_generate', tells: 'signals and who sent them' },
  { program: 'on_sys_exit', tracepoint: 'sys_exit', tells: 'refused signals, probes with signal 0, failed execs' },
  { program: 'on_exec', tracepoint: 'sched_process_exec', tells: 'execs with their arguments' },
  { program: 'on_fork', tracepoint: 'sched_process_fork', tells: 'new processes and their parents' },
  { program: 'on_exit', tracepoint: 'sched_process_exit', tells: 'ends of processes and their status' },
  { program: 'on_mark_victim', tracepoint: 'mark_victim', tells: 'victims of the OOM killer' },
  { program: 'on_cgroup_mkdir', tracepoint: 'cgroup_mkdir', tells: 'paths of short-lived cgroups' },
] as const;

const SNAPSHOT_PROGRAM = 'on_snapshot';

export interface ProbeOptions {
  scope: Scope;
  /** Argument bytes kept per exec. */
  argsBytes: number;
  /** Sizes of the lanes in bytes, powers of two. */
  lethalBytes: number;
  bulkBytes: number;
}

export interface ProbeReport {
  name: string;
  attached: boolean;
}

export class Probes {
  readonly lethal: Ring;
  readonly bulk: Ring;
  /** A struct snoop_counters for each CPU. */
  readonly counters: ArrayBuffer;
  readonly report: ProbeReport[] = [];
  readonly #object: bpf.Handle;
  readonly #links: bpf.Handle[] = [];

  constructor(options: ProbeOptions) {
    this.#object = openObject();
    try {
      this.#configure(options);
      bpf.loadObject(this.#object);
      if (options.scope.kind === 'tree') this.#markTreeRoot(options.scope.root);
      this.lethal = this.#mapLane('lane_lethal');
      this.bulk = this.#mapLane('lane_bulk');
      const counters = bpf.map(this.#object, 'counters');
      this.counters = bpf.mapMemory(bpf.mapFd(counters), bpf.maxEntries(counters) * SnoopCounters.bytes, 0, false);
      for (const { program, tracepoint } of PROBES) {
        this.#links.push(bpf.attach(bpf.program(this.#object, program), tracepoint));
        this.report.push({ name: tracepoint, attached: true });
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #configure({ scope, argsBytes, lethalBytes, bulkBytes }: ProbeOptions): void {
    const knobs = new DataView(bpf.initialValue(bpf.map(this.#object, '.rodata.knobs')));
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
    bpf.setMaxEntries(bpf.map(this.#object, 'counters'), cpus);
    bpf.setMaxEntries(bpf.map(this.#object, 'scratch'), cpus);
    bpf.setMaxEntries(bpf.map(this.#object, 'lane_lethal'), lethalBytes);
    bpf.setMaxEntries(bpf.map(this.#object, 'lane_bulk'), bulkBytes);
  }

  #markTreeRoot(pid: number): void {
    const value = Uint32Array.of(SnoopTreeMark.TREE_ROOT);
    bpf.updateElement(
      bpf.mapFd(bpf.map(this.#object, 'scope_tree')),
      new Uint8Array(Uint32Array.of(pid).buffer),
      new Uint8Array(value.buffer),
    );
  }

  /** kernel/bpf/ringbuf.c, ringbuf_map_mmap_user: the consumer page, the producer page, the data twice. */
  #mapLane(name: string): Ring {
    const map = bpf.map(this.#object, name);
    const fd = bpf.mapFd(map);
    const bytes = bpf.maxEntries(map);
    const page = bpf.pageBytes();
    const consumer = bpf.mapMemory(fd, page, 0, true);
    const shared = bpf.mapMemory(fd, page + 2 * bytes, page, false);
    return new Ring(consumer, shared, page, bytes);
  }

  /** The records of the processes that exist now, in one buffer. */
  snapshot(): Uint8Array {
    const { fd, link } = bpf.openIterator(bpf.program(this.#object, SNAPSHOT_PROGRAM));
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
      bpf.detach(link);
    }
  }

  /** Stops new records; those in the lanes can still be read. */
  detach(): void {
    for (const link of this.#links.splice(0)) bpf.detach(link);
  }

  close(): void {
    this.detach();
    bpf.closeObject(this.#object);
  }
}

/** Opens the object, and refuses one that was built with another wire.h. */
function openObject(): bpf.Handle {
  const path = join(PACKAGE_ROOT, 'dist', 'snooprec.bpf.o');
  if (!existsSync(path)) {
    throw new SnoopError('library', `the compiled probes are missing: ${path}`, 'build them: npm run build');
  }
  const object = bpf.openObject(path);
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
