/**
 * A laboratory for tests on the real kernel: a temporary directory, a cgroup of its own, and a recorder that records only
 * what is started in there. Whatever happens, it leaves no process, cgroup, lock or file.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { Resident } from './resident.js';

const DIST = join(PACKAGE_ROOT, 'dist');
/** Where the unified hierarchy is mounted. */
export const CGROUP_ROOT = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find(root =>
  existsSync(join(root, 'cgroup.procs')),
);

/** Why tests on the kernel cannot run here; false: they can. */
export const cannotRecord: string | false =
  process.geteuid?.() !== 0
    ? 'needs root'
    : !existsSync('/sys/kernel/btf/vmlinux')
      ? 'needs a kernel with BTF'
      : CGROUP_ROOT === undefined
        ? 'needs a mounted cgroup2 hierarchy'
        : false;

/**
 * The ways in which a recorder works here, when not those that it chooses itself. setup/test.sh runs tests again with them: an
 * older kernel must give the same rows.
 */
const WAYS = [
  ...(process.env['SNOOPREC_TEST_CAPTURE'] ? ['--capture', process.env['SNOOPREC_TEST_CAPTURE']] : []),
  ...(process.env['SNOOPREC_TEST_TRANSPORT'] ? ['--transport', process.env['SNOOPREC_TEST_TRANSPORT']] : []),
];

/** Where laboratories have their cgroups. */
const LABS = process.env['SNOOPREC_TEST_LABS'] ?? CGROUP_ROOT;

/** How much longer than usual to wait for anything: on an emulated machine (test/kernels) everything is slow. */
const SLOW = Number(process.env['SNOOPREC_TEST_SLOW'] ?? 1);

/** The recorder is a thread of ours, not a process: null where a process starts quickly. */
const resident = SLOW > 1 ? new Resident() : null;

/** What a test does usually, or the less that it does on an emulated machine, to end in a bearable time. */
export const orLess = <What>(usual: What, less: What): What => (SLOW > 1 ? less : usual);

/** Until the recorder has stored what happened by now. */
export const stored = (): Promise<void> => sleep(600 * SLOW);

/** The path of a test tool. */
export const tool = (name: string): string => join(DIST, 'test', 'tools', name);

/** What a command left behind. */
export interface Outcome {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** The key=value lines of a tool. */
  facts: Map<string, string>;
}

export class Lab {
  readonly directory: string;
  readonly cgroup: string;
  readonly db: string;
  readonly #subgroups: string[] = [];
  #mayRun = false;

  private constructor(directory: string, cgroup: string) {
    this.directory = directory;
    this.cgroup = cgroup;
    this.db = join(directory, 'lab.db');
  }

  /** Opens a laboratory for one test, and closes it after. */
  static open(test: TestContext): Lab {
    const directory = mkdtempSync(join(tmpdir(), 'snooprec-lab-'));
    const cgroup = join(LABS as string, directory.split('/').at(-1) as string);
    mkdirSync(cgroup);
    const lab = new Lab(directory, cgroup);
    test.after(() => lab.#close());
    return lab;
  }

  /** Makes a cgroup below the laboratory's. */
  subgroup(name: string): string {
    const path = join(this.cgroup, name);
    mkdirSync(path);
    this.#subgroups.push(path);
    return path;
  }

  /** Runs `snooprec` with this database, and if it is to record, in the ways that are asked for. */
  snooprec(...args: string[]): Outcome {
    if (args[0] === 'start') this.#mayRun = true;
    const records = args[0] === 'start' || args[0] === 'run';
    const all = records ? args.toSpliced(1, 0, ...WAYS) : args;
    return this.command(process.execPath, join(DIST, 'bin', 'snooprec.js'), ...all);
  }

  /** Asks `snoopq`. */
  snoopq(...args: string[]): Outcome {
    if (resident) return ended(resident.ask(this.db, ...args));
    return this.command(process.execPath, join(DIST, 'bin', 'snoopq.js'), ...args);
  }

  /** Runs a command outside of what is recorded. */
  command(file: string, ...args: string[]): Outcome {
    const env = { ...process.env, SNOOPREC_DB: this.db };
    const result = spawnSync(file, args, {
      cwd: this.directory,
      env,
      encoding: 'utf8',
      timeout: 120_000 * SLOW,
      maxBuffer: 1 << 26,
    });
    if (result.error) throw result.error;
    return outcome(result.status, result.signal, result.stdout, result.stderr);
  }

  /** Starts the recorder for the laboratory's cgroup. */
  record(...options: string[]): void {
    const words = ['--cgroup', this.cgroup, ...options];
    const started = resident?.record('--db', this.db, ...WAYS, ...words) ?? this.snooprec('start', ...words);
    assert.equal(started.status, 0, started.stderr);
  }

  /** Stops the recorder: everything is in the database then. */
  stop(): void {
    const stopped = this.#mayRun || !resident ? this.snooprec('stop') : resident.stop();
    this.#mayRun = false;
    assert.equal(stopped.status, 0, stopped.stderr);
  }

  /** Runs a tool, or any command, inside the cgroup. */
  inside(file: string, ...args: string[]): Outcome {
    const result = this.command(tool('cginto'), this.cgroup, file.includes('/') ? file : tool(file), ...args);
    assert.ok(result.status !== 127, result.stderr);
    return result;
  }

  /** Starts a command inside the cgroup; it is killed at the end of the test if it still lives. */
  background(file: string, ...args: string[]): Background {
    const path = file.includes('/') ? file : tool(file);
    return new Background(
      spawn(tool('cginto'), [this.cgroup, path, ...args], {
        cwd: this.directory,
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
  }

  /** The rows of a query on the views. */
  rows<Row = Record<string, unknown>>(sql: string, ...parameters: unknown[]): Row[] {
    const db = new Database(this.db, { readonly: true });
    try {
      return db.prepare(sql).all(...parameters) as Row[];
    } finally {
      db.close();
    }
  }

  /** The one value of a query. */
  value(sql: string, ...parameters: unknown[]): unknown {
    const [row] = this.rows(sql, ...parameters);
    return row === undefined ? undefined : Object.values(row)[0];
  }

  /** `snoopq who-killed PID --json`. */
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts
  whoKilled(pid: number | string, ...options: string[]): any {
    const answer = this.snoopq('who-killed', String(pid), '--json', ...options);
    assert.equal(answer.status, 0, answer.stderr + answer.stdout);
    return JSON.parse(answer.stdout);
  }

  async #close(): Promise<void> {
    if (resident) resident.stop();
    if (this.#mayRun || !resident) this.snooprec('stop');
    if (existsSync(join(this.cgroup, 'cgroup.kill'))) writeFileSync(join(this.cgroup, 'cgroup.kill'), '1');
    for (const cgroup of [...this.#subgroups.reverse(), this.cgroup]) {
      for (let tries = 0; tries < 100 * SLOW; tries++) {
        if (readFileSync(join(cgroup, 'cgroup.procs'), 'utf8') === '') break;
        await sleep(20);
      }
      rmdirSync(cgroup);
    }
    rmSync(this.directory, { recursive: true });
  }
}

/**
 * What holds of deaths by a signal that an interrupt sent: right signal, no killer, and the mechanism. On Linux 6.18 about one
 * such signal in some thousand never reaches a BPF program on signal_generate, though a perf counter on the same tracepoint
 * sees it, and no recursion or loss is counted. Then the siginfo that took effect tells; a SIGKILL by a resource limit has
 * none, and the answer must be "incomplete".
 */
export function assertInterrupted(
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of who-killed
  verdicts: any[],
  signal: string,
  mechanism: string,
  how: string,
): void {
  const mayHide = signal === 'SIGKILL' && mechanism === 'rlimit';
  for (const verdict of verdicts) {
    assert.equal(verdict.verdict, 'killed', how);
    assert.equal(verdict.signal.name, signal, how);
    assert.equal(verdict.killer, null, how);
    const isHidden = mayHide && verdict.confidence === 'incomplete';
    assert.equal(verdict.mechanism, isHidden ? null : mechanism, how);
    if (!isHidden) assert.equal(verdict.confidence, 'proven', how);
  }
  assert.ok(
    verdicts.some(verdict => verdict.mechanism === mechanism),
    how,
  );
}

/** How often a test lets an interrupt send, so that one that is hidden does not fail it. */
export const INTERRUPTS = 4;

/** A command that runs while the test goes on. */
export class Background {
  readonly pid: number;
  readonly #child: ChildProcess;
  #stdout = '';
  readonly #ended: Promise<Outcome>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid as number;
    child.stdout?.on('data', chunk => {
      this.#stdout += String(chunk);
    });
    this.#ended = new Promise(done => {
      child.once('close', (status, signal) => done(outcome(status, signal, this.#stdout, '')));
    });
  }

  /** Waits until the tool has told a fact, and returns it. */
  async fact(key: string): Promise<string> {
    for (let tries = 0; tries < 500 * SLOW; tries++) {
      const value = factsOf(this.#stdout).get(key);
      if (value !== undefined && this.#stdout.endsWith('\n')) return value;
      await sleep(10);
    }
    throw new Error(`the tool never told ${key}; it said: ${this.#stdout}`);
  }

  /** Waits until the command runs its own image, not the one that put it into the cgroup. */
  async running(comm: string): Promise<this> {
    for (let tries = 0; tries < 500 * SLOW; tries++) {
      if (readFileSync(`/proc/${this.pid}/comm`, 'utf8') === `${comm}\n`) return this;
      await sleep(10);
    }
    throw new Error(`process ${this.pid} never became ${comm}`);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for its end. */
  end(): Promise<Outcome> {
    return this.#ended;
  }
}

function ended({ status, stdout, stderr }: Pick<Outcome, 'stdout' | 'stderr'> & { status: number }): Outcome {
  return outcome(status, null, stdout, stderr);
}

function outcome(
  status: number | null,
  signal: NodeJS.Signals | null,
  stdout: string,
  stderr: string,
): Outcome {
  return { status, signal, stdout, stderr, facts: factsOf(stdout) };
}

/** Of a key that comes more than once, the values joined by a space. */
function factsOf(stdout: string): Map<string, string> {
  const facts = new Map<string, string>();
  for (const [, key, value] of stdout.matchAll(/^(\w+)=(.*)$/gm)) {
    const before = facts.get(key as string);
    facts.set(key as string, before === undefined ? (value as string) : `${before} ${value}`);
  }
  return facts;
}
