/**
 * The perf events behind a lane, two for each CPU on one buffer: a silent one, and one that wakes the recorder at each record.
 * The probes choose between them (bpf/lane.bpf.h).
 */

import { readFileSync } from 'node:fs';
import { updateElement } from './libbpf.js';
import { mapMemory, openPerfOutput, pageBytes, sharePerfBuffer } from './libc.js';
import { parseCpuList } from './numbers.js';
import { PerfLane } from './perfbuf.js';

/** Longer than any record (bpf/scratch.bpf.h), however full it is. */
const CPU_BYTES_MIN = 256 << 10;

/** A lane, and the descriptors that can be read when a record woke. */
export interface PerfEvents {
  lane: PerfLane;
  fds: number[];
}

/** The processors that are online: a perf event can be of these only. */
export function onlineCpus(): number[] {
  return parseCpuList(readFileSync('/sys/devices/system/cpu/online', 'latin1'));
}

/**
 * @param map   descriptor of the perf event array that the probes put out to
 * @param bytes room in all; each CPU that is online gets its share
 */
export function openPerfEvents(map: number, bytes: number): PerfEvents {
  const cpus = onlineCpus();
  const page = pageBytes();
  const share = Math.max(CPU_BYTES_MIN, 2 ** Math.floor(Math.log2(bytes / cpus.length)));
  const fds: number[] = [];
  const buffers = cpus.map(cpu => {
    const silent = openPerfOutput(cpu, 0);
    // kernel/events/core.c, perf_mmap: a page of positions, and a power of two of data pages.
    const buffer = mapMemory(silent, page + share, 0, true);
    const waking = openPerfOutput(cpu, 1);
    sharePerfBuffer(waking, silent);
    put(map, 2 * cpu, silent);
    put(map, 2 * cpu + 1, waking);
    fds.push(silent);
    return buffer;
  });
  return { lane: new PerfLane(buffers, page), fds };
}

function put(map: number, key: number, fd: number): void {
  const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
  updateElement(map, u32(key), u32(fd));
}
