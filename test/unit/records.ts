/** Writes records as the probes do, for tests: facts in, bytes out. What is not given is zero, or a plain default. */

import {
  EvAttempt,
  EvCgroup,
  EvDelivery,
  EvExec,
  EvExit,
  EvOom,
  EvProcess,
  EvSignal,
  SnoopHeader,
  SnoopType,
} from '../../bpf/wire.gen.js';

/** A process, or one of its threads. */
export interface Key {
  pid: number;
  /** Nanoseconds since boot. */
  start: number;
  tid?: number;
  comm?: string;
  uid?: number;
}

/** The idle task of a CPU: what runs when nothing does. */
export const IDLE: Key = { pid: 0, start: 0, comm: 'swapper/0' };

type Part = string | Uint8Array;

/** One record that is being put together. */
class Writer {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(
    type: SnoopType,
    fixed: number,
    time: number,
    key: Key,
    flags = 0,
    parts: readonly Uint8Array[] = [],
  ) {
    this.bytes = new Uint8Array(fixed + parts.reduce((sum, part) => sum + part.length, 0));
    this.#view = new DataView(this.bytes.buffer);
    this.u32(SnoopHeader.type, type);
    this.u32(SnoopHeader.flags, flags);
    this.u64(SnoopHeader.time, time);
    this.key(SnoopHeader.key_start, key);
    let at = fixed;
    for (const part of parts) {
      this.bytes.set(part, at);
      at += part.length;
    }
  }

  u8(at: number, value: number): this {
    this.#view.setUint8(at, value);
    return this;
  }

  i32(at: number, value: number): this {
    this.#view.setInt32(at, value, true);
    return this;
  }

  u32(at: number, value: number): this {
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64(at: number, value: number): this {
    this.#view.setBigUint64(at, BigInt(value), true);
    return this;
  }

  key(at: number, key: Key): this {
    return this.u64(at, key.start)
      .i32(at + 8, key.pid)
      .i32(at + 12, key.tid ?? key.pid);
  }

  info(at: number, { sig, code, from }: InfoFacts): this {
    return this.u32(at, sig)
      .i32(at + 4, code)
      .i32(at + 8, from?.pid ?? 0)
      .u32(at + 12, from?.uid ?? 0);
  }

  comm(at: number, { comm = 'comm' }: Key): this {
    this.bytes.set(Buffer.from(comm).subarray(0, 15), at);
    return this;
  }
}

export interface SignalFacts {
  sig: number;
  /** The running task; whether it sent the signal is for the recorder to say. */
  sender: Key;
  target: Key;
  time?: number;
  code?: number;
  syscall?: number;
  args?: readonly [number, number];
  result?: number;
  /** False: to the thread. */
  group?: boolean;
  disposition?: number;
  /** enum snoop_sender_state */
  state?: number;
  pdeathsig?: number;
}

export function signal(f: SignalFacts): Uint8Array {
  const [arg0, arg1] = f.args ?? [f.target.pid, f.sig];
  return new Writer(SnoopType.SIGNAL, EvSignal.bytes, f.time ?? 1e9, f.sender)
    .key(EvSignal.target_start, f.target)
    .comm(EvSignal.comm, f.sender)
    .comm(EvSignal.target_comm, f.target)
    .u32(EvSignal.uid, f.sender.uid ?? 0)
    .i32(EvSignal.code, f.code ?? 0)
    .i32(EvSignal.syscall, f.syscall ?? 62)
    .i32(EvSignal.args, arg0)
    .i32(EvSignal.args + 4, arg1)
    .u8(EvSignal.sig, f.sig)
    .u8(EvSignal.result, f.result ?? 0)
    .u8(EvSignal.group, f.group === false ? 0 : 1)
    .u8(EvSignal.disposition, f.disposition ?? 0)
    .u8(EvSignal.sender, f.state ?? 0)
    .u8(EvSignal.pdeathsig, f.pdeathsig ?? 0).bytes;
}

/** What a siginfo tells. */
export interface InfoFacts {
  sig: number;
  code: number;
  /** si_pid and si_uid; a process signed. */
  from?: { pid: number; uid: number };
}

export interface DeliveryFacts extends InfoFacts {
  /** The thread that takes it. */
  process: Key;
  /** enum snoop_disposition */
  action: number;
  time?: number;
}

export function delivery(f: DeliveryFacts): Uint8Array {
  return new Writer(SnoopType.DELIVERY, EvDelivery.bytes, f.time ?? 1e9, f.process)
    .info(EvDelivery.info_sig, f)
    .u32(EvDelivery.action, f.action).bytes;
}

export interface AttemptFacts {
  caller: Key;
  syscall?: number;
  args: readonly [number, number, number?];
  sig: number;
  result: number;
  time?: number;
  nsLevel?: number;
  /** As the kernel found it. */
  target?: Key;
}

export function attempt(f: AttemptFacts): Uint8Array {
  return new Writer(SnoopType.ATTEMPT, EvAttempt.bytes, f.time ?? 1e9, f.caller)
    .key(EvAttempt.target_start, f.target ?? { pid: 0, start: 0 })
    .comm(EvAttempt.comm, f.caller)
    .u32(EvAttempt.uid, f.caller.uid ?? 0)
    .i32(EvAttempt.syscall, f.syscall ?? 62)
    .i32(EvAttempt.args, f.args[0])
    .i32(EvAttempt.args + 4, f.args[1])
    .i32(EvAttempt.args + 8, f.args[2] ?? 0)
    .i32(EvAttempt.sig, f.sig)
    .i32(EvAttempt.result, f.result)
    .u32(EvAttempt.ns_level, f.nsLevel ?? 0).bytes;
}

export interface ExecFacts {
  process: Key;
  argv: readonly Part[];
  /** Absolute paths. */
  exe?: string | null;
  cwd?: string | null;
  filename?: string;
  interp?: string;
  time?: number;
  result?: number;
  flags?: number;
  /** Thread that called. */
  oldTid?: number;
  /** Length of all arguments, when argv is cut. */
  argsBytes?: number;
  loginuid?: number;
  session?: number;
  tty?: number;
  cgroup?: number;
  inode?: number;
}

export function exec(f: ExecFacts): Uint8Array {
  const argv = strings(f.argv);
  const exe = f.exe === null ? strings([]) : components(f.exe ?? '/bin/true');
  const cwd = f.cwd === null ? strings([]) : components(f.cwd ?? '/');
  const filename = strings([f.filename ?? f.exe ?? '/bin/true']);
  const interp = f.interp === undefined ? strings([]) : strings([f.interp]);
  const parts = [exe, cwd, filename, interp, argv];
  return new Writer(SnoopType.EXEC, EvExec.bytes, f.time ?? 1e9, f.process, f.flags, parts)
    .u64(EvExec.cgroup, f.cgroup ?? 1)
    .u64(EvExec.inode, f.inode ?? 7)
    .comm(EvExec.comm, f.process)
    .u32(EvExec.uid, f.process.uid ?? 0)
    .u32(EvExec.euid, f.process.uid ?? 0)
    .u32(EvExec.loginuid, f.loginuid ?? 0xffffffff)
    .u32(EvExec.session, f.session ?? 0xffffffff)
    .u32(EvExec.device, (8 << 20) | 1)
    .u32(EvExec.tty, f.tty ?? 0)
    .i32(EvExec.old_tid, f.oldTid ?? f.process.pid)
    .i32(EvExec.result, f.result ?? 0)
    .u32(EvExec.args_bytes, f.argsBytes ?? argv.length)
    .u32(EvExec.exe_bytes, exe.length)
    .u32(EvExec.cwd_bytes, cwd.length)
    .u32(EvExec.filename_bytes, filename.length)
    .u32(EvExec.interp_bytes, interp.length)
    .u32(EvExec.argv_bytes, argv.length).bytes;
}

export interface ProcessRecordFacts {
  child: Key;
  parent: Key;
  time?: number;
  cgroup?: number;
  nsPid?: number;
  nsLevel?: number;
}

export function fork(f: ProcessRecordFacts): Uint8Array {
  return processRecord(SnoopType.FORK, f);
}

export function snapshot(f: ProcessRecordFacts): Uint8Array {
  return processRecord(SnoopType.SNAPSHOT, f);
}

function processRecord(type: SnoopType, f: ProcessRecordFacts): Uint8Array {
  return new Writer(type, EvProcess.bytes, f.time ?? f.child.start, f.child)
    .key(EvProcess.parent_start, f.parent)
    .u64(EvProcess.cgroup, f.cgroup ?? 1)
    .comm(EvProcess.comm, f.child)
    .u32(EvProcess.uid, f.child.uid ?? 0)
    .i32(EvProcess.ns_pid, f.nsPid ?? f.child.pid)
    .u32(EvProcess.ns_level, f.nsLevel ?? 0).bytes;
}

export interface ExitFacts {
  process: Key;
  parent?: Key;
  /** As wait(2) reports it. */
  status?: number;
  time?: number;
  cgroup?: number;
  /** Of the signal that ended it, found in its queue. */
  info?: InfoFacts;
}

export function exit(f: ExitFacts): Uint8Array {
  return new Writer(SnoopType.EXIT, EvExit.bytes, f.time ?? 2e9, f.process)
    .key(EvExit.parent_start, f.parent ?? { pid: 1, start: 1 })
    .u64(EvExit.cgroup, f.cgroup ?? 1)
    .u64(EvExit.utime, 3_000_000)
    .u64(EvExit.stime, 2_000_000)
    .u64(EvExit.max_rss_pages, 256)
    .comm(EvExit.comm, f.process)
    .u32(EvExit.uid, f.process.uid ?? 0)
    .i32(EvExit.status, f.status ?? 0)
    .info(EvExit.info_sig, f.info ?? { sig: 0, code: 0 }).bytes;
}

export interface OomFacts {
  victim: Key;
  trigger: Key;
  memcg?: string;
  time?: number;
  score?: number;
  /** Resident pages: anonymous, of files, shared; -1: it has no memory any more. */
  pages?: readonly [number, number, number];
}

export function oom(f: OomFacts): Uint8Array {
  const memcg = components(f.memcg ?? '/');
  const [anon, file, shmem] = f.pages ?? [-1, -1, -1];
  return new Writer(SnoopType.OOM, EvOom.bytes, f.time ?? 1e9, f.trigger, 0, [memcg])
    .key(EvOom.victim_start, f.victim)
    .u64(EvOom.cgroup, 1)
    .u64(EvOom.anon_pages, anon)
    .u64(EvOom.file_pages, file)
    .u64(EvOom.shmem_pages, shmem)
    .comm(EvOom.comm, f.victim)
    .i32(EvOom.oom_score_adj, f.score ?? 0)
    .u32(EvOom.memcg_bytes, memcg.length).bytes;
}

export function cgroup(f: { id: number; path: string; time?: number }): Uint8Array {
  const path = strings([f.path]);
  return new Writer(SnoopType.CGROUP, EvCgroup.bytes, f.time ?? 1e9, { pid: 1, start: 1 }, 0, [path])
    .u64(EvCgroup.id, f.id)
    .u32(EvCgroup.path_bytes, path.length).bytes;
}

/** Each with a NUL behind it. */
export function strings(parts: readonly Part[]): Uint8Array {
  return Buffer.concat(
    parts.flatMap(part => [typeof part === 'string' ? Buffer.from(part) : part, Buffer.of(0)]),
  );
}

/** The components of an absolute path as the probes write them: leaf first; the root has none. */
export function components(path: string): Uint8Array {
  return strings(path.split('/').filter(Boolean).reverse());
}
