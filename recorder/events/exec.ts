/** An exec becomes a row of `exec`; a successful one also changes what its process is. */

import { EvExec, SnoopFlag } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import { type EventSpec, Fate } from '../event-spec.js';
import { type Memory, u64 } from '../lane.js';
import { NULL } from '../rows.js';
import { defineTable } from '../table.js';
import { type Texts, untilNul } from '../texts.js';

const REFS = {
  process: 'process',
  filename: 'path',
  exe: 'path',
  interp: 'path',
  argv: 'argv',
  cwd: 'path',
  comm: 'comm',
  cgroup: 'cgroup',
} as const;

const TABLE = defineTable(
  'exec',
  [
    'time',
    'process',
    'result',
    'filename',
    'exe',
    'interp',
    'argv',
    'cwd',
    'comm',
    'uid',
    'gid',
    'euid',
    'egid',
    'loginuid',
    'session',
    'tty',
    'cgroup',
    'inode',
    'device',
    'old_tid',
    'flags',
  ],
  REFS,
  8_192,
);
const EXEC = TABLE.at;

export const exec: EventSpec = {
  name: 'exec',
  bytes: EvExec.bytes,
  parts: [EvExec.exe_bytes, EvExec.cwd_bytes, EvExec.filename_bytes, EvExec.interp_bytes, EvExec.argv_bytes],
  table: TABLE,
  apply,
};

const UNSET = 0xffffffff;

function apply(context: Context, memory: Memory, at: number): Fate {
  const { identity, texts } = context;
  const execs = context.rows(TABLE);
  const { i32, u32, u8 } = memory;
  const process = identity.at(memory, at + EvExec.h_key_start);
  if (process === null) return Fate.malformed;

  const cwdAt = at + EvExec.data + wordAt(u32, at + EvExec.exe_bytes);
  const filenameAt = cwdAt + wordAt(u32, at + EvExec.cwd_bytes);
  const interpAt = filenameAt + wordAt(u32, at + EvExec.filename_bytes);
  const argvAt = interpAt + wordAt(u32, at + EvExec.interp_bytes);
  const argvBytes = wordAt(u32, at + EvExec.argv_bytes);
  const result = i32[(at + EvExec.result) >> 2] as number;
  const flags = wordAt(u32, at + EvExec.h_flags) | (texts.cuts(argvBytes) ? SnoopFlag.ARGS_CUT : 0);
  const cwd = pathOf(texts, u8.subarray(cwdAt, filenameAt), flags);
  const filename = texts.path(untilNul(u8.subarray(filenameAt, interpAt)));
  const interp = texts.path(untilNul(u8.subarray(interpAt, argvAt)));
  const exe = result === 0 ? pathOf(texts, u8.subarray(at + EvExec.data, cwdAt), flags) : null;
  const argv = texts.argv(u8.subarray(argvAt, argvAt + argvBytes), wordAt(u32, at + EvExec.args_bytes));
  const oldTid = wordAt(u32, at + EvExec.old_tid);
  const comm = identity.comm(process, memory, at + EvExec.comm, result === 0 || oldTid === process.pid);
  const cgroup = context.cgroups.id(u64(memory, at + EvExec.cgroup));

  execs.set(EXEC.time, context.clock.wallOf(u64(memory, at + EvExec.h_time)));
  execs.set(EXEC.process, process.id);
  execs.set(EXEC.result, result);
  execs.set(EXEC.filename, filename ?? NULL);
  execs.set(EXEC.exe, exe ?? NULL);
  execs.set(EXEC.interp, interp ?? NULL);
  execs.set(EXEC.argv, argv);
  execs.set(EXEC.cwd, cwd ?? NULL);
  execs.set(EXEC.comm, comm);
  execs.set(EXEC.uid, wordAt(u32, at + EvExec.uid));
  execs.set(EXEC.gid, wordAt(u32, at + EvExec.gid));
  execs.set(EXEC.euid, wordAt(u32, at + EvExec.euid));
  execs.set(EXEC.egid, wordAt(u32, at + EvExec.egid));
  execs.set(EXEC.loginuid, known(wordAt(u32, at + EvExec.loginuid), UNSET));
  execs.set(EXEC.session, known(wordAt(u32, at + EvExec.session), UNSET));
  execs.set(EXEC.tty, known(wordAt(u32, at + EvExec.tty), 0));
  execs.set(EXEC.cgroup, cgroup ?? NULL);
  execs.set(EXEC.inode, result === 0 ? u64(memory, at + EvExec.inode) : NULL);
  execs.set(EXEC.device, result === 0 ? wordAt(u32, at + EvExec.device) : NULL);
  execs.set(EXEC.old_tid, oldTid === process.pid ? NULL : oldTid);
  execs.set(EXEC.flags, flags);
  const row = execs.add();

  if (result === 0) {
    process.exec = execs.firstId + row;
    process.exe = exe;
    process.argv = argv;
    process.cwd = cwd;
    process.uid = wordAt(u32, at + EvExec.uid);
    process.cgroup = cgroup;
    identity.table.changed(process);
  }
  return Fate.stored;
}

/** Not a closure of apply: V8 would compile it anew for each record. */
function wordAt(u32: Uint32Array, at: number): number {
  return u32[at >> 2] as number;
}

/** The id of a path. No component at all is the root, unless it could not be read. */
function pathOf(texts: Texts, components: Uint8Array, flags: number): number | null {
  return components.length === 0 && flags & SnoopFlag.PATH_UNREADABLE ? null : texts.pathOf(components);
}

/** The value, or NULL when it is the one that means "none". */
function known(value: number, none: number): number {
  return value === none ? NULL : value;
}
