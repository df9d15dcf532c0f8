/** The memory that the probes share with the recorder, mapped: the lanes of either make, and the counters. */

import { SnoopCounters } from '../bpf/wire.gen.js';
import type { LaneState } from './coverage.js';
import type { Lane } from './lane.js';
import * as bpf from './libbpf.js';
import { mapMemory, pageBytes } from './libc.js';
import type { ProbeOptions } from './object.js';
import { openPerfEvents } from './perf-events.js';
import { Ring } from './ring.js';
import { Waiter } from './waiter.js';

export interface SharedMemory {
  lethal: Lane;
  bulk: Lane;
  waiter: Waiter;
  /** A struct snoop_counters for each CPU. */
  counters: ArrayBuffer;
  /** Descriptor of the map from user id to number of system calls. */
  uidSyscalls: number;
  /** Goes on at positions that an earlier recorder stored. */
  resume(before: LaneState): void;
}

/** The maps that are pinned for the next recorder. */
export const SHARED_MAPS = ['lane_lethal', 'lane_bulk', 'counters', 'uid_syscalls'] as const;

type Open = (name: string) => number;

/** @param open gives a descriptor of a map */
export function mapRings(open: Open): SharedMemory {
  const fds = [open('lane_lethal'), open('lane_bulk')] as const;
  const lethal = mapRing(fds[0]);
  const bulk = mapRing(fds[1]);
  return {
    lethal,
    bulk,
    waiter: new Waiter(fds),
    resume(before) {
      lethal.resume(before.lethal);
      bulk.resume(before.bulk);
    },
    ...mapCounts(open),
  };
}

/** Opens the perf events of both lanes, and puts them where the probes find them. */
export function mapPerf(open: Open, { lethalBytes, bulkBytes }: ProbeOptions): SharedMemory {
  const lethal = openPerfEvents(open('perf_lethal'), lethalBytes);
  const bulk = openPerfEvents(open('perf_bulk'), bulkBytes);
  const asleep = new Int32Array(mapMemory(open('asleep'), pageBytes(), 0, true), 0, 1);
  const alarm = {
    set(isOn: boolean) {
      Atomics.store(asleep, 0, isOn ? 1 : 0);
    },
    hasRecords: () => lethal.lane.waiting + bulk.lane.waiting > 0,
  };
  return {
    lethal: lethal.lane,
    bulk: bulk.lane,
    waiter: new Waiter([...lethal.fds, ...bulk.fds], alarm),
    resume() {}, // they go with the recorder that opened them
    ...mapCounts(open),
  };
}

function mapCounts(open: Open): Pick<SharedMemory, 'counters' | 'uidSyscalls'> {
  const counters = open('counters');
  return {
    counters: mapMemory(counters, bpf.maxEntriesOf(counters) * SnoopCounters.bytes, 0, false),
    uidSyscalls: open('uid_syscalls'),
  };
}

/** Longer than any record (bpf/scratch.bpf.h): so much of the second copy of the data is mapped, for what is mapped counts as resident. */
const RECORD_BYTES_MAX = 256 << 10;

/** kernel/bpf/ringbuf.c, ringbuf_map_mmap_user: the consumer page, the producer page, the data twice. */
function mapRing(fd: number): Ring {
  const bytes = bpf.maxEntriesOf(fd);
  const page = pageBytes();
  const consumer = mapMemory(fd, page, 0, true);
  const shared = mapMemory(fd, page + bytes + Math.min(bytes, RECORD_BYTES_MAX), page, false);
  return new Ring(consumer, shared, page, bytes);
}
