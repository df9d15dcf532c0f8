/** What the user asked for, checked: strings in, numbers and paths out. Nothing here touches the kernel. */

import { resolve } from 'node:path';
import { databasePath } from '../migrations/database.js';
import { SnoopError } from '../migrations/errors.js';
import { cgroupScope, type Scope } from './scope.js';

/** The options of one run. */
export interface RecordOptions {
  db: string;
  scope: Scope;
  flushMs: number;
  argsBytes: number;
  lethalBytes: number;
  bulkBytes: number;
}

/** As commander hands them over. */
export interface RawOptions {
  db?: string;
  cgroup?: string[];
  flush?: string;
  argsBytes?: string;
  lethalBuffer?: string;
  bulkBuffer?: string;
}

const ARGS_BYTES_MAX = 128 << 10; // ARGS_MAX in bpf/scratch.bpf.h

/** @param tree the scope of `snooprec run`; else `--cgroup` decides */
export function recordOptions(raw: RawOptions, tree?: Scope): RecordOptions {
  return {
    db: resolve(databasePath(raw.db)),
    scope: tree ?? cgroupScope(raw.cgroup ?? []),
    flushMs: whole('--flush', raw.flush, 250, 10, 60_000),
    argsBytes: size('--args-bytes', raw.argsBytes, 32 << 10, 0, ARGS_BYTES_MAX),
    lethalBytes: lane('--lethal-buffer', raw.lethalBuffer, 4 << 20),
    bulkBytes: lane('--bulk-buffer', raw.bulkBuffer, 16 << 20),
  };
}

function whole(name: string, text: string | undefined, fallback: number, min: number, max: number): number {
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new SnoopError('usage', `${name} ${text} is not a whole number from ${min} to ${max}`);
}

/** Bytes, with K or M behind the number if wanted. */
function size(name: string, text: string | undefined, fallback: number, min: number, max: number): number {
  if (text === undefined) return fallback;
  const match = /^(\d+)([KM]?)$/i.exec(text);
  const unit = { '': 1, K: 1 << 10, M: 1 << 20 }[match?.[2]?.toUpperCase() ?? ''] ?? 1;
  const bytes = match ? Number(match[1]) * unit : Number.NaN;
  if (bytes >= min && bytes <= max) return bytes;
  throw new SnoopError('usage', `${name} ${text} is not a size from ${min} to ${max} bytes`, 'write it like 64K or 16M');
}

/** The kernel wants a power of two of at least a page (kernel/bpf/ringbuf.c, ringbuf_map_alloc). */
function lane(name: string, text: string | undefined, fallback: number): number {
  const bytes = size(name, text, fallback, 64 << 10, 1 << 30);
  if ((bytes & (bytes - 1)) === 0) return bytes;
  throw new SnoopError('usage', `${name} ${text} is not a power of two`, 'write it like 4M or 16M');
}
