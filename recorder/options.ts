/** What the user asked for, checked: strings in, numbers and paths out. Nothing here touches the kernel. */

import { resolve } from 'node:path';
import { databasePath } from '../migrations/database.js';
import { SnoopError } from '../migrations/errors.js';
import { findGroup, type Group } from './group.js';
import {
  type Asked,
  CAPTURES,
  type Capture,
  RETURNS,
  type Returns,
  TRANSPORTS,
  type Transport,
} from './kernel-ways.js';
import { cgroupScope, type Scope } from './scope.js';

/** The options of one run. */
export interface RecordOptions {
  db: string;
  scope: Scope;
  flushMs: number;
  argsBytes: number;
  /** Secrets in arguments and paths are replaced by fingerprints. */
  redact: boolean;
  lethalBytes: number;
  bulkBytes: number;
  countSyscalls: boolean;
  /** Where the probes find the system call in progress, on what they see it return, and what the lanes are made of. */
  capture: Asked<Capture>;
  returns: Asked<Returns>;
  transport: Asked<Transport>;
  /** Bytes that the recording may take on disk. */
  maxBytes: number;
  /** Bytes that are to stay free on its file system; null: a twentieth of it, at most 1 GiB. */
  keepFreeBytes: number | null;
  /** Age at which what was recorded is dropped, microseconds; null: never for its age. */
  retainUs: number | null;
  /** Who may read sealed segments; null: nobody but the owner, undefined: who could before. */
  group: Group | null | undefined;
}

/** As commander hands them over. */
export interface RawOptions {
  db?: string;
  cgroup?: string[];
  flush?: string;
  argsBytes?: string;
  args?: boolean;
  redact?: boolean;
  lethalBuffer?: string;
  bulkBuffer?: string;
  maxSize?: string;
  keepFree?: string;
  retain?: string;
  group?: string;
  capture?: string;
  returns?: string;
  transport?: string;
  countSyscalls?: boolean;
}

const GIB = 2 ** 30;
const ARGS_BYTES_MAX = 128 << 10; // ARGS_MAX in bpf/scratch.bpf.h

/** @param tree the scope of `snooprec run`; else `--cgroup` decides */
export function recordOptions(raw: RawOptions, tree?: Scope): RecordOptions {
  const capture = oneOf('--capture', raw.capture, CAPTURES);
  const returns = oneOf('--returns', raw.returns, RETURNS);
  if (capture === 'hash' && returns === 'each')
    throw new SnoopError('usage', '--capture hash has to see all calls return', 'leave out --returns each');
  return {
    db: resolve(databasePath(raw.db)),
    scope: tree ?? cgroupScope(raw.cgroup ?? []),
    flushMs: whole('--flush', raw.flush, 250, 10, 60_000),
    argsBytes: raw.args === false ? 0 : size('--args-bytes', raw.argsBytes, 32 << 10, 0, ARGS_BYTES_MAX),
    redact: raw.redact !== false,
    lethalBytes: lane('--lethal-buffer', raw.lethalBuffer, 4 << 20),
    bulkBytes: lane('--bulk-buffer', raw.bulkBuffer, 16 << 20),
    countSyscalls: raw.countSyscalls === true,
    capture,
    returns,
    transport: oneOf('--transport', raw.transport, TRANSPORTS),
    maxBytes: size('--max-size', raw.maxSize, 4 * GIB, 16 << 20, 4096 * GIB),
    keepFreeBytes: raw.keepFree === undefined ? null : size('--keep-free', raw.keepFree, 0, 0, 4096 * GIB),
    retainUs: raw.retain === undefined ? null : age('--retain', raw.retain),
    group: raw.group === undefined ? null : findGroup(raw.group),
  };
}

function whole(name: string, text: string | undefined, fallback: number, min: number, max: number): number {
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new SnoopError('usage', `${name} ${text} is not a whole number from ${min} to ${max}`);
}

/** One of a few words; the first one if none is given. */
function oneOf<const Word extends string>(
  name: string,
  text: string | undefined,
  words: readonly Word[],
): Word {
  const word = words.find(word => word === (text ?? words[0]));
  if (word !== undefined) return word;
  throw new SnoopError('usage', `${name} ${text} is none of ${words.join(', ')}`);
}

/** An age in microseconds, like 90min, 12h, 30d or 8w. */
function age(name: string, text: string): number {
  const match = /^(\d+)(min|h|d|w)$/.exec(text);
  const seconds = { min: 60, h: 3600, d: 86_400, w: 604_800 }[match?.[2] ?? ''];
  if (match && seconds && Number(match[1]) > 0) return Number(match[1]) * seconds * 1e6;
  throw new SnoopError('usage', `${name} ${text} is not an age`, 'write it like 12h, 30d or 8w');
}

/** Bytes, with K, M or G behind the number if wanted. */
function size(name: string, text: string | undefined, fallback: number, min: number, max: number): number {
  if (text === undefined) return fallback;
  const match = /^(\d+)([KMG]?)$/i.exec(text);
  const unit = { '': 1, K: 1 << 10, M: 1 << 20, G: GIB }[match?.[2]?.toUpperCase() ?? ''] ?? 1;
  const bytes = match ? Number(match[1]) * unit : Number.NaN;
  if (bytes >= min && bytes <= max) return bytes;
  throw new SnoopError(
    'usage',
    `${name} ${text} is not a size from ${min} to ${max} bytes`,
    'write it like 64K or 16M',
  );
}

/** The kernel wants a power of two of at least a page (kernel/bpf/ringbuf.c, ringbuf_map_alloc). */
function lane(name: string, text: string | undefined, fallback: number): number {
  const bytes = size(name, text, fallback, 64 << 10, 1 << 30);
  if ((bytes & (bytes - 1)) === 0) return bytes;
  throw new SnoopError('usage', `${name} ${text} is not a power of two`, 'write it like 4M or 16M');
}
