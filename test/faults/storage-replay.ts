/**
 * Power cuts, replayed. The system calls of a real recorder on its files, as strace(1) saw them, are played into a model of a
 * disk: what was written and not synced yet may be there after a cut, or not, or in part. Each such state is laid down as
 * files and opened as `snooprec start` would.
 *
 * The model is stricter than ext4 or xfs: a file's content is safe after an fsync of that file, its name after one of the
 * directory. Changes of names survive in the order in which they were made, as in a journal.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootId } from '../../recorder/recorder.js';
import { Segments } from '../../recorder/segments.js';
import type { Lab } from '../kernel/lab.js';
import { RUN } from '../unit/batches.js';
import { ask, FIRST, isPlain, numbersIn, SNOOPREC, segmentsOf } from './storage.js';

const SECTOR = 512;
const FLUSH_MS = 100;
const PAUSE_MS = 30; // between batches, and longer than anything within one
const CALLS = 'openat,close,pwrite64,write,ftruncate,fsync,fdatasync,unlink,rename';

/** One system call on a file of the recording. */
export interface Call {
  /** When it began. */
  ms: number;
  name: string;
  /** Of the file or the directory; for `rename` from and to. */
  path: string;
  to: string;
  fd: number;
  flags: string;
  data: Buffer;
  offset: number;
}

/** Records numbers for some seconds, with changes of segments among them, under strace. Returns how many. */
async function record(lab: Lab): Promise<number> {
  const trace = join(lab.directory, 'trace');
  const db = recordingIn(lab);
  mkdirSync(dirname(db), { mode: 0o750 });
  const options = ['--db', db, '--cgroup', lab.cgroup, '--max-size', '16M', '--flush', String(FLUSH_MS)];
  // Only its first thread: that does all of the storing, one call after another.
  const args = [
    '-ttt',
    '-xx',
    '-s',
    '100000',
    '-o',
    trace,
    '-e',
    `trace=${CALLS}`,
    process.execPath,
    SNOOPREC,
    'start',
    '--foreground',
    ...options,
  ];
  const recorder = spawn('strace', args, { stdio: 'ignore' });
  const ended = new Promise(done => recorder.once('exit', done));
  try {
    for (let tries = 0; tries < 500 && lab.snooprec('status', '--db', db).status !== 0; tries++)
      await sleep(20);
    await sleep(500);
    const sent = Number(lab.inside('sequence', String(FIRST), '75000', '15000').facts.get('sent'));
    await sleep(500);
    return sent;
  } finally {
    lab.snooprec('stop', '--db', db);
    await ended;
  }
}

const recordingIn = (lab: Lab): string => join(lab.directory, 'rec', 'x.db');

/** The calls on files in the directory of the recording, in their order. */
function callsOf(lab: Lab): Call[] {
  const directory = dirname(recordingIn(lab));
  const open = new Map<number, string>();
  const calls: Call[] = [];
  for (const line of readFileSync(join(lab.directory, 'trace'), 'latin1').split('\n')) {
    const match = /^([\d.]+) (\w+)\((.*)\)\s+= (\d+)/.exec(line);
    if (!match) continue;
    const [, time, name, args, result] = match as unknown as [string, string, string, string, string];
    const texts = [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?/g)].map(([, hex = '', cut]) => {
      assert.equal(cut, undefined, 'strace told all of it');
      return Buffer.from(hex.replaceAll('\\x', ''), 'hex');
    });
    const call: Call = {
      ms: Number(time) * 1000,
      name,
      path: '',
      to: '',
      fd: Number.parseInt(args, 10),
      flags: '',
      data: Buffer.alloc(0),
      offset: 0,
    };
    if (name === 'openat') {
      call.path = String(texts[0]);
      call.flags = args.split(', ')[2] as string;
      call.fd = Number(result);
      open.set(call.fd, call.path);
    } else if (name === 'unlink' || name === 'rename') {
      call.path = String(texts[0]);
      call.to = String(texts[1] ?? '');
    } else {
      call.path = open.get(call.fd) ?? '';
      if (name === 'close') open.delete(call.fd);
      if (name === 'pwrite64' || name === 'write') {
        assert.equal((texts[0] as Buffer).length, Number(result), 'all of it was written');
        call.data = texts[0] as Buffer;
        call.offset = name === 'pwrite64' ? Number(args.slice(args.lastIndexOf(',') + 1)) : -1;
      }
      if (name === 'ftruncate') call.offset = Number(args.slice(args.lastIndexOf(',') + 1));
    }
    if (call.path === directory || dirname(call.path) === directory) calls.push(call);
  }
  return calls;
}

/** A file: what is safe of it, and what was done to it since. */
class Inode {
  safe: Buffer<ArrayBuffer> = Buffer.alloc(0);
  pending: Change[] = [];
}

/** Bytes at an offset, or a new size. */
type Change = { offset: number; data: Buffer | null };
type Naming = { name: string; inode: Inode | null };

function applied(content: Buffer<ArrayBuffer>, changes: readonly Change[]): Buffer<ArrayBuffer> {
  if (changes.length === 0) return content;
  const most = changes.reduce(
    (most, { offset, data }) => Math.max(most, offset + (data?.length ?? 0)),
    content.length,
  );
  const result = Buffer.alloc(most);
  content.copy(result);
  let size = content.length;
  for (const { offset, data } of changes) {
    if (data === null) {
      if (offset < size) result.fill(0, offset, size);
      size = offset;
    } else {
      data.copy(result, offset);
      size = Math.max(size, offset + data.length);
    }
  }
  return result.subarray(0, size);
}

/** What becomes of that which was not synced. */
const FATES = ['all', 'none', 'some', 'torn'] as const;
type Fate = (typeof FATES)[number];
type Random = () => number;

class Disk {
  #names = new Map<string, Inode>();
  /** Changes of names that are not safe yet, a rename as the two that it is, in one. */
  #pendingNames: Naming[][] = [];
  readonly #open = new Map<number, Inode | 'directory'>();
  readonly #directory: string;
  readonly #current = new Map<string, Inode>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  play(call: Call): void {
    const { name, fd, data, offset } = call;
    const inode = this.#open.get(fd);
    switch (name) {
      case 'openat':
        this.#opened(call);
        return;
      case 'close':
        this.#open.delete(fd);
        return;
      case 'pwrite64':
        if (inode instanceof Inode) inode.pending.push({ offset, data });
        return;
      case 'ftruncate':
        if (inode instanceof Inode) inode.pending.push({ offset, data: null });
        return;
      case 'fsync':
      case 'fdatasync':
        if (inode === 'directory') this.#syncNames();
        else if (inode) [inode.safe, inode.pending] = [applied(inode.safe, inode.pending), []];
        return;
      case 'unlink':
        this.#rename([{ name: basename(call.path), inode: null }]);
        return;
      case 'rename': {
        const moved = this.#current.get(basename(call.path)) as Inode;
        this.#rename([
          { name: basename(call.path), inode: null },
          { name: basename(call.to), inode: moved },
        ]);
        return;
      }
      default:
        assert.fail(`${name} is not played`);
    }
  }

  #opened({ path, fd, flags }: Call): void {
    if (path === this.#directory) {
      this.#open.set(fd, 'directory');
      return;
    }
    const name = basename(path);
    let inode = this.#current.get(name);
    if (inode === undefined) {
      assert.match(flags, /O_CREAT/);
      inode = new Inode();
      this.#rename([{ name, inode }]);
    }
    if (flags.includes('O_TRUNC')) inode.pending.push({ offset: 0, data: null });
    this.#open.set(fd, inode);
  }

  #rename(change: Naming[]): void {
    this.#pendingNames.push(change);
    name(this.#current, change);
  }

  #syncNames(): void {
    for (const change of this.#pendingNames.splice(0)) name(this.#names, change);
  }

  /** The files after a cut, by their names. */
  cut(fate: Fate, random: Random): Map<string, Buffer> {
    const names = new Map(this.#names);
    const kept =
      fate === 'all'
        ? this.#pendingNames.length
        : fate === 'none'
          ? 0
          : Math.floor(random() * (this.#pendingNames.length + 1));
    for (const change of this.#pendingNames.slice(0, kept)) name(names, change);
    return new Map(
      [...names].map(([path, inode]) => [path, applied(inode.safe, survivors(inode.pending, fate, random))]),
    );
  }
}

function name(names: Map<string, Inode>, change: Naming[]): void {
  for (const { name, inode } of change) {
    if (inode === null) names.delete(name);
    else names.set(name, inode);
  }
}

function survivors(pending: readonly Change[], fate: Fate, random: Random): Change[] {
  if (fate === 'all') return [...pending];
  if (fate === 'none') return [];
  if (fate === 'some') return pending.filter(() => random() < 0.5);
  return pending.flatMap(change =>
    change.data === null ? [change] : sectors(change).filter(() => random() < 0.7),
  );
}

function sectors({ offset, data }: Change): Change[] {
  const parts: Change[] = [];
  for (let at = 0; data && at < data.length; ) {
    const end = Math.min(data.length, at + SECTOR - ((offset + at) % SECTOR));
    parts.push({ offset: offset + at, data: data.subarray(at, end) });
    at = end;
  }
  return parts;
}

/** Numbers that come again with each seed. */
function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Lays the files down, opens them as the recorder does, and returns how many numbers are there from the first without a hole. */
function opened(files: Map<string, Buffer>, what: string): number {
  const directory = mkdtempSync('/dev/shm/snooprec-cut-');
  const db = join(directory, 'x.db');
  try {
    for (const [file, content] of files) writeFileSync(join(directory, file), content, { mode: 0o600 });
    if (!files.has('x.db')) writeFileSync(db, '', { mode: 0o600 }); // `snooprec start` makes it
    const segments = new Segments(
      { db, maxBytes: 16 << 20, keepFreeBytes: null, retainUs: null, group: null },
      bootId(),
      () => Date.now() * 1000,
    );
    try {
      segments.begin(RUN);
    } finally {
      segments.close('stopped', Date.now() * 1000);
    }
    const left = readdirSync(directory);
    assert.deepEqual(
      left.filter(file => !/^x((-\d{8}T\d{9}Z)?\.db|\.key)$/.test(file)),
      [],
      `${what}: nothing strange is left`,
    );
    const paths = segmentsOf(db);
    for (const path of paths) {
      assert.deepEqual(
        ask(path, 'PRAGMA integrity_check'),
        [{ integrity_check: 'ok' }],
        `${what}: ${basename(path)}`,
      );
      assert.ok(isPlain(path));
    }
    const numbers = numbersIn(paths);
    for (const [number, count] of numbers) assert.equal(count, 1, `${what}: ${number} came once`);
    let whole = 0;
    while (numbers.has(FIRST + whole)) whole++;
    assert.equal(numbers.size, whole, `${what}: whole batches in their order`);
    return whole;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Replays `states` power cuts spread over all of what a recorder did, and returns that. */
export async function replay(t: TestContext, lab: Lab, states: number): Promise<Call[]> {
  const sent = await record(lab);
  const calls = callsOf(lab);
  assert.ok(calls.filter(call => call.name === 'rename').length >= 2, 'there was a change of segments');
  const disk = new Disk(dirname(recordingIn(lab)));
  const random = randomOf(states);
  let acknowledged = 0;
  let batches = 0;
  let cuts = 0;
  for (const [at, call] of calls.entries()) {
    // Where the recorder paused it had been told that all before is stored.
    if (at > 0 && call.ms - (calls[at - 1] as Call).ms > PAUSE_MS) {
      acknowledged = opened(disk.cut('all', random), `before call ${at}`);
      batches++;
    }
    disk.play(call);
    const where = `after call ${at}, ${call.name} of ${basename(call.path)}`;
    while (cuts < (states * (at + 1)) / calls.length) {
      const fate = FATES[cuts % FATES.length] as Fate;
      const what = `${where}, unsynced: ${fate}, cut ${cuts}`;
      const found = opened(disk.cut(fate, random), what);
      assert.ok(found >= acknowledged, `${what}: ${found} of ${acknowledged} acknowledged numbers`);
      cuts++;
    }
  }
  assert.ok(batches > 20, `there were ${batches} batches`);
  assert.equal(opened(disk.cut('none', random), 'after the end'), sent);
  t.diagnostic(
    `F13 0 corrupt, 0 acknowledged batches lost | ${cuts} power cuts over ${calls.length} calls and ${batches} batches: 0 corrupt, 0 lost`,
  );
  return calls;
}

/**
 * That the recorder opens its live files through SQLite alone. Another descriptor on such a file would take SQLite's locks away
 * when it is closed: https://sqlite.org/howtocorrupt.html, 2.2.
 */
export function assertOnlySqlite(lab: Lab, calls: readonly Call[]): { opens: number; closes: number } {
  const live = recordingIn(lab);
  const mine = ['', '-wal', '-shm'].map(suffix => live + suffix);
  const seen = { opens: 0, closes: 0 };
  const open = new Map<number, string>();
  let made: number | null = null;
  let isLogged = false;
  for (const { name, path, to, fd, flags } of calls) {
    if (name === 'openat' && path === `${live}-wal`) isLogged = true;
    if (name === 'unlink' && path === `${live}-wal`) isLogged = false;
    if (name === 'rename' && to === live) open.clear(); // what was open before is another file
    if (name === 'close' && fd === made) made = null;
    else if (name === 'close' && open.get(fd) === live) {
      open.delete(fd);
      seen.closes++;
      assert.ok(
        !isLogged || ![...open.values()].includes(live),
        'nothing is closed beside the connection that writes',
      );
    }
    if (name !== 'openat' || !mine.includes(path)) continue;
    if (flags.includes('O_EXCL')) {
      assert.equal(open.size, 0, 'it is made before SQLite has it');
      made = fd;
      continue;
    }
    assert.equal(made, null, 'who made it closed it');
    assert.equal(flags, 'O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC', `${path} is opened as SQLite does`);
    open.set(fd, path);
    seen.opens++;
  }
  return seen;
}
