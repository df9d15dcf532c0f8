/** An exec becomes a row of `exec`; a successful one also changes what its process is. */

import { EvExec, SnoopFlag } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import { type EventSpec, Fate } from '../event-spec.js';
import { type Memory, u64 } from '../lane.js';
import { NULL } from '../rows.js';
import { defineTable } from '../table.js';
import { untilNul } from '../texts.js';

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
  const number = (field: number) => u32[(at + field) >> 2] as number;
  let end = at + EvExec.data;
  const part = (length: number) => {
    const start = end;
    end += number(length);
    return u8.subarray(start, end);
  };

  const process = identity.at(memory, at + EvExec.h_key_start);
  if (process === null) return Fate.malformed;
  const result = i32[(at + EvExec.result) >> 2] as number;
  const isCut = texts.cuts(number(EvExec.argv_bytes));
  const flags = number(EvExec.h_flags) | (isCut ? SnoopFlag.ARGS_CUT : 0);
  // No component at all is the root, unless it could not be read.
  const path = (components: Uint8Array) =>
    components.length === 0 && flags & SnoopFlag.PATH_UNREADABLE ? null : texts.pathOf(components);
  const exe = part(EvExec.exe_bytes);
  const cwd = path(part(EvExec.cwd_bytes));
  const filename = texts.path(untilNul(part(EvExec.filename_bytes)));
  const interp = texts.path(untilNul(part(EvExec.interp_bytes)));
  const exePath = result === 0 ? path(exe) : null;
  const argv = texts.argv(part(EvExec.argv_bytes), number(EvExec.args_bytes));
  const oldTid = number(EvExec.old_tid);
  const comm = identity.comm(process, memory, at + EvExec.comm, result === 0 || oldTid === process.pid);
  const cgroup = context.cgroups.id(u64(memory, at + EvExec.cgroup));

  execs.set(EXEC.time, context.clock.wallOf(u64(memory, at + EvExec.h_time)));
  execs.set(EXEC.process, process.id);
  execs.set(EXEC.result, result);
  execs.set(EXEC.filename, filename ?? NULL);
  execs.set(EXEC.exe, exePath ?? NULL);
  execs.set(EXEC.interp, interp ?? NULL);
  execs.set(EXEC.argv, argv);
  execs.set(EXEC.cwd, cwd ?? NULL);
  execs.set(EXEC.comm, comm);
  execs.set(EXEC.uid, number(EvExec.uid));
  execs.set(EXEC.gid, number(EvExec.gid));
  execs.set(EXEC.euid, number(EvExec.euid));
  execs.set(EXEC.egid, number(EvExec.egid));
  execs.set(EXEC.loginuid, known(number(EvExec.loginuid), UNSET));
  execs.set(EXEC.session, known(number(EvExec.session), UNSET));
  execs.set(EXEC.tty, known(number(EvExec.tty), 0));
  execs.set(EXEC.cgroup, cgroup ?? NULL);
  execs.set(EXEC.inode, result === 0 ? u64(memory, at + EvExec.inode) : NULL);
  execs.set(EXEC.device, result === 0 ? number(EvExec.device) : NULL);
  execs.set(EXEC.old_tid, oldTid === process.pid ? NULL : oldTid);
  execs.set(EXEC.flags, flags);
  const row = execs.add();

  if (result === 0) {
    process.exec = execs.firstId + row;
    process.exe = exePath;
    process.argv = argv;
    process.cwd = cwd;
    process.uid = number(EvExec.uid);
    process.cgroup = cgroup;
    identity.table.changed(process);
  }
  return Fate.stored;
}

/** The value, or NULL when it is the one that means "none". */
function known(value: number, none: number): number {
  return value === none ? NULL : value;
}
