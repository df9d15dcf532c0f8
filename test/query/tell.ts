/** Rows of a recording in few words: texts are stored once, a process gets its exec, a sender what it ran then. */

import type Database from 'better-sqlite3';

const MECHANISM = {
  kill: 1,
  tgkill: 3,
  pidfd_send_signal: 6,
  'cgroup.kill': 7,
  pdeathsig: 8,
  tty: 10,
  timer: 11,
  fault: 14,
  sigpipe: 15,
  oom: 16,
} as const;
export const DEFAULT = 0;
export const HANDLED = 2;
export const BLOCKED = 3;

export interface ProcessRow {
  pid: number;
  parent: number | null;
  started: number;
  ended?: number;
  unseenEnd?: number;
  status?: number;
  comm: string;
  exe: string;
  args: string[];
  uid?: number;
  unit?: string;
  container?: string;
  cwd?: string;
  origin?: string;
}

export interface SignalRow {
  time: number;
  lastTime?: number;
  count?: number;
  sig: number;
  sender?: number | null;
  target?: number | null;
  mechanism: keyof typeof MECHANISM;
  outcome?: number;
  disposition?: number | null;
  targetArg?: number | null;
  call?: number;
  dying?: number;
}

export interface DeliveryRow {
  time: number;
  lastTime?: number;
  count?: number;
  process: number;
  sig: number;
  action: typeof DEFAULT | typeof HANDLED;
  /** As far as the siginfo tells. */
  mechanism?: keyof typeof MECHANISM;
  /** Pid of who signed it; null: the kernel. */
  from: number | null;
}

/** Functions that put rows into `db`; `boot` is when boot-time nanoseconds began. */
export function tellers(db: Database.Database, boot: number) {
  const texts = new Map<string, number>();
  const insertOnce = (table: string, column: string, text: string): number => {
    const key = `${table}\0${text}`;
    const known = texts.get(key);
    if (known !== undefined) return known;
    const bytes =
      table === 'argv'
        ? (JSON.parse(text) as string[]).reduce((n, arg) => n + Buffer.byteLength(arg) + 1, 0)
        : 0;
    const { lastInsertRowid } =
      table === 'argv'
        ? db.prepare('INSERT INTO argv (args, bytes) VALUES (?, ?)').run(text, bytes)
        : db.prepare(`INSERT INTO ${table} (${column}) VALUES (?)`).run(text);
    texts.set(key, Number(lastInsertRowid));
    return Number(lastInsertRowid);
  };
  const comm = (text: string) => insertOnce('comm', 'comm', text);
  const path = (text: string) => insertOnce('path', 'path', text);
  const argv = (args: string[]) => insertOnce('argv', 'args', JSON.stringify(args));
  const units = new Map<string, number>();
  const cgroup = (unit: string | undefined, container?: string): number | null => {
    if (unit === undefined) return null;
    if (!units.has(unit)) {
      units.set(unit, 4000 + units.size);
      db.prepare('INSERT INTO cgroup (id, path, unit, container) VALUES (?, ?, ?, ?)').run(
        units.get(unit),
        `/system.slice/${unit}`,
        unit,
        container ?? null,
      );
    }
    return units.get(unit) ?? null;
  };
  const execOf = (process: number): number | null =>
    db.prepare('SELECT exec FROM process WHERE id = ?').pluck().get(process) as number | null;
  const uidOf = (process: number): number =>
    db.prepare('SELECT uid FROM process WHERE id = ?').pluck().get(process) as number;
  const commOf = (process: number): number =>
    db.prepare('SELECT comm FROM process WHERE id = ?').pluck().get(process) as number;

  const addExec = (
    process: number,
    time: number,
    filename: string,
    args: string[],
    result: number,
  ): number => {
    const ok = result === 0;
    const { lastInsertRowid } = db
      .prepare(`INSERT INTO exec (time, process, result, filename, exe, argv, cwd, comm, uid, gid, euid, egid, flags)
        SELECT @time, id, @result, @filename, @exe, @argv, cwd, comm, uid, uid, uid, uid, 0 FROM process WHERE id = @process`)
      .run({
        time,
        process,
        result,
        filename: path(filename),
        exe: ok ? path(filename) : null,
        argv: argv(args),
      });
    if (ok) db.prepare('UPDATE process SET exec = ? WHERE id = ?').run(lastInsertRowid, process);
    return Number(lastInsertRowid);
  };

  const addProcess = (row: ProcessRow): number => {
    const { lastInsertRowid } = db
      .prepare(`INSERT INTO process (boot, pid, start_ns, started, ended, unseen_end, parent, parent_exec, origin, comm, exe,
          argv, cwd, uid, cgroup, status)
        VALUES (1, @pid, @start_ns, @started, @ended, @unseen, @parent, @parent_exec, @origin, @comm, @exe, @argv, @cwd, @uid,
          @cgroup, @status)`)
      .run({
        pid: row.pid,
        start_ns: (row.started - boot) * 1000,
        started: row.started,
        ended: row.ended ?? null,
        unseen: row.unseenEnd ?? null,
        parent: row.parent,
        parent_exec: row.parent === null ? null : execOf(row.parent),
        origin: row.origin ?? 'fork',
        comm: comm(row.comm),
        exe: path(row.exe),
        argv: argv(row.args),
        cwd: path(row.cwd ?? '/'),
        uid: row.uid ?? 0,
        cgroup: cgroup(row.unit, row.container),
        status: row.status ?? null,
      });
    const id = Number(lastInsertRowid);
    if (row.origin === undefined) addExec(id, row.started + 300, row.exe, row.args, 0);
    return id;
  };

  const addSignal = (row: SignalRow): number => {
    const sender = row.sender ?? null;
    const target = row.target ?? null;
    const { lastInsertRowid } = db
      .prepare(`INSERT INTO signal (time, last_time, count, sig, code, sender, sender_tid, sender_uid, sender_comm, sender_exec,
        target, target_comm, mechanism, call, outcome, disposition, target_arg, syscall, dying)
      VALUES (@time, @last, @count, @sig, @code, @sender, @tid, @uid, @comm, @exec, @target, @target_comm, @mechanism, @call,
        @outcome, @disposition, @arg, @syscall, @dying)`)
      .run({
        time: row.time,
        last: row.lastTime ?? null,
        count: row.count ?? 1,
        sig: row.sig,
        code: (row.outcome ?? 0) < 0 ? null : sender === null ? 128 : 0,
        sender,
        tid: sender === null ? null : db.prepare('SELECT pid FROM process WHERE id = ?').pluck().get(sender),
        uid: sender === null ? null : uidOf(sender),
        comm: sender === null ? null : commOf(sender),
        exec: sender === null ? null : execOf(sender),
        target,
        target_comm: target === null ? null : commOf(target),
        mechanism: MECHANISM[row.mechanism],
        call: row.call ?? null,
        outcome: row.outcome ?? 0,
        disposition: row.disposition === undefined ? DEFAULT : row.disposition,
        arg: row.targetArg ?? null,
        syscall: row.mechanism === 'kill' ? 62 : row.mechanism === 'tgkill' ? 234 : null,
        dying: row.dying ?? null,
      });
    return Number(lastInsertRowid);
  };

  /** A lethal signal that took effect. */
  const addDelivery = (row: DeliveryRow): void => {
    db.prepare(`INSERT INTO delivery (time, last_time, count, process, sig, code, action, mechanism, from_pid, from_uid)
      VALUES (@time, @last, @count, @process, @sig, @code, @action, @mechanism, @from, @uid)`).run({
      time: row.time,
      last: row.lastTime ?? null,
      count: row.count ?? 1,
      process: row.process,
      sig: row.sig,
      code: row.from === null ? 128 : 0,
      action: row.action,
      mechanism: row.mechanism === undefined ? null : MECHANISM[row.mechanism],
      from: row.from,
      uid: row.from === null ? null : 0,
    });
  };

  return { addProcess, addSignal, addExec, addDelivery };
}

/** Gives the execs ids in the order of their times, as the recorder does: answers find a span of time by its ids. */
export function numberByTime(db: Database.Database): void {
  const ids = db.prepare('SELECT id FROM exec ORDER BY time, id').pluck().all() as number[];
  db.pragma('defer_foreign_keys = ON');
  for (const [table, column] of [
    ['exec', 'id'],
    ['process', 'exec'],
    ['process', 'parent_exec'],
    ['signal', 'sender_exec'],
  ] as const) {
    const move = db.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${column} = ?`);
    ids.forEach((id, i) => {
      move.run(-(i + 1), id);
    });
    db.exec(`UPDATE ${table} SET ${column} = -${column} WHERE ${column} < 0`);
  }
}
