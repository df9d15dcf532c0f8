/**
 * The recorder as a background process: start it and wait until it records, stop it and wait until it stored
 * everything.
 *
 * A background start runs the same program with --foreground and a pipe as file descriptor 3. One line of JSON comes
 * back through it: ready, or the error to show.
 */

import { spawn } from 'node:child_process';
import { closeSync, existsSync, rmdirSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, SnoopError } from '../migrations/errors.js';
import type { Ending } from './batch.js';
import { joinGroup, openWay } from './group.js';
import { chooseWays } from './kernel-ways.js';
import { type Holder, Lock, lockHolder } from './lock.js';
import type { RecordOptions } from './options.js';
import { makeDatabasePath, makePrivateFile, openPrivateLog, refuseForeignFile } from './path-safety.js';
import { hasBpffs, leftPins, removeEmptyPins } from './pins.js';
import { raisePriority } from './priority.js';
import { becomeService, confineChildren, giveToService } from './privileges.js';
import { Recorder } from './recorder.js';
import { keyPath } from './secret-key.js';
import { NODE_OPTIONS, RECORDER_ENVIRONMENT } from './service-unit.js';

const READY_FD = 3;
const START_MS = 15_000;
const STOP_MS = 15_000;

type Message = { ready: true } | { error: { code: ErrorCode; message: string; hint?: string | undefined } };

/** The file beside the database that takes what the background recorder says on stderr. */
export function logPath(db: string): string {
  return `${db.replace(/\.db$/, '')}.log`;
}

/** Starts a recorder in the background. Returns the pid of the one that records, which may have run already. */
export async function startInBackground(
  options: RecordOptions,
  args: string[],
): Promise<{ pid: number; wasRunning: boolean }> {
  const running = await readyHolder(options.db);
  if (running) return { pid: running.pid, wasRunning: true };
  const made = makeDatabasePath(options.db);
  const path = logPath(options.db);
  let isNewLog = false;
  try {
    giveAway(options, made);
    refuseForeignFile(options.db);
    isNewLog = makePrivateFile(path);
    return { pid: await spawnRecorder(options, args, path), wasRunning: false };
  } catch (error) {
    const other = await readyHolder(options.db); // two were started at once, and the other one won
    if (other) return { pid: other.pid, wasRunning: true };
    if (isNewLog && statSync(path, { throwIfNoEntry: false })?.size === 0) unlinkSync(path);
    removeEmpty(made);
    throw error;
  }
}

/** Gives the directories that were made for a recording to whom they are for. */
function giveAway({ db, group }: RecordOptions, made: readonly string[]): void {
  if (made.length > 0) giveToService(dirname(db));
  if (group == null) return;
  openWay(group, dirname(db), made);
  joinGroup(group);
}

/** The recorder of a database, once it records. Null: none runs, or it gave up. */
async function readyHolder(db: string): Promise<Holder | null> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    const holder = lockHolder(db);
    if (holder === null || holder.ready || Date.now() > deadline) return holder;
    await sleep(20);
  }
}

async function spawnRecorder(options: RecordOptions, args: string[], log: string): Promise<number> {
  const logFd = openPrivateLog(log);
  hasBpffs(); // mounted now if it is not: what is spawned may not
  confineChildren(chooseWays(options).transport);
  const child = spawn(
    process.execPath,
    [...NODE_OPTIONS, process.argv[1] as string, 'start', '--foreground', ...args],
    {
      detached: true,
      cwd: '/',
      stdio: ['ignore', logFd, logFd, 'pipe'],
      env: { ...plainEnvironment(), SNOOPREC_READY_FD: String(READY_FD) },
    },
  );
  closeSync(logFd);
  const exited = new Promise<never>((_, reject) => {
    child.once('exit', (code, signal) =>
      reject(new SnoopError('kernel', `the recorder ended at its start: ${signal ?? code}`, `see ${log}`)),
    );
    child.once('error', error =>
      reject(new SnoopError('kernel', `cannot start the recorder: ${error.message}`)),
    );
  });
  exited.catch(() => {});
  const pipe = child.stdio[READY_FD] as NodeJS.ReadableStream;
  let text = '';
  for await (const chunk of pipe) text += chunk;
  if (text === '') return await exited;
  const message = JSON.parse(text) as Message;
  if ('error' in message) throw new SnoopError(message.error.code, message.error.message, message.error.hint);
  child.unref();
  return child.pid as number;
}

/** The environment without what makes Node run other code: NODE_OPTIONS, NODE_PATH …; and as RECORDER_ENVIRONMENT says. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^NODE_/.test(name));
  return { ...Object.fromEntries(kept), ...RECORDER_ENVIRONMENT };
}

/** Tells whoever started us that we record, or why not. */
export function tellStarter(message: Message): void {
  if (process.env['SNOOPREC_READY_FD'] === undefined) return;
  try {
    writeSync(Number(process.env['SNOOPREC_READY_FD']), JSON.stringify(message));
    closeSync(Number(process.env['SNOOPREC_READY_FD']));
  } catch {} // it went away, which is no reason not to record
}

/** A recorder that holds the lock of its database. Ends with `stop`. */
export interface Session {
  /** When it last moved: Pipeline.lastMove. */
  readonly lastMove: number;
  /** Returns the head of the chain over all that was stored. */
  stop(ending: Ending): Promise<string>;
}

/** Takes the lock, opens the recorder and starts it. Null: another recorder runs. What fails leaves no file behind. */
export function openSession(options: RecordOptions): Session | null {
  const lock = Lock.take(options.db);
  if (lock === null) return null;
  let made: string[] = [];
  let isNew = false;
  const hasKey = existsSync(keyPath(options.db));
  try {
    made = makeDatabasePath(options.db);
    if (isService(options)) giveAway(options, made);
    refuseForeignFile(options.db);
    isNew = makePrivateFile(options.db);
    const recorder = openRecorder(options);
    lock.ready();
    return {
      get lastMove() {
        return recorder.lastMove;
      },
      async stop(ending) {
        const head = await recorder.stop(ending);
        lock.release();
        return head;
      },
    };
  } catch (error) {
    if (isNew) for (const suffix of ['', '-wal', '-shm', '-journal']) removeFile(options.db + suffix);
    if (!hasKey) removeFile(keyPath(options.db));
    removeEmpty(made);
    lock.release();
    throw error;
  }
}

/** `run` stays who it is: it is the parent of the command, and as short-lived. */
function isService({ scope }: RecordOptions): boolean {
  return scope.kind !== 'tree';
}

/** A recorder that has begun to record. */
function openRecorder(options: RecordOptions): Recorder {
  const recorder = new Recorder(options);
  try {
    recorder.attach();
    if (isService(options)) {
      raisePriority();
      becomeService(options.db, options.group, () => recorder.holdPins());
    }
    recorder.start();
    return recorder;
  } catch (error) {
    recorder.abandon();
    throw error;
  }
}

/** Stores what a recorder that was killed left in the kernel, and takes its probes off. False: there is nothing. */
export async function storeLeft(options: RecordOptions): Promise<boolean> {
  if (leftPins(options.db).length === 0) return false;
  const lock = Lock.take(options.db);
  if (lock === null) return false;
  try {
    makeDatabasePath(options.db);
    refuseForeignFile(options.db);
    makePrivateFile(options.db);
    const recorder = new Recorder({ ...options, group: undefined });
    recorder.drain();
    await recorder.stop('stopped');
    return true;
  } finally {
    lock.release();
  }
}

/** Has the recorder of a database stop, and leaves nothing of it. Null: none runs. */
export async function stopRecorder(db: string): Promise<number | null> {
  const holder = lockHolder(db);
  if (holder !== null) await end(db, holder.pid);
  cleanUp(db);
  return holder?.pid ?? null;
}

/** Asks a recorder to stop, and waits until it did. */
async function end(db: string, pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + STOP_MS;
  while (lockHolder(db)?.pid === pid) {
    if (Date.now() > deadline) {
      throw new SnoopError(
        'running',
        `process ${pid} did not stop within ${STOP_MS / 1000} s`,
        `see ${logPath(db)}`,
      );
    }
    await sleep(20);
  }
}

/** Removes what a recorder that was not root any more had to leave, or one that was killed. */
function cleanUp(db: string): void {
  if (process.geteuid?.() !== 0) return;
  removeEmptyPins(db);
  Lock.take(db)?.release();
}

function removeFile(path: string): void {
  if (existsSync(path)) unlinkSync(path);
}

/** Removes directories that we made, the innermost first, as far as they are empty. */
function removeEmpty(directories: readonly string[]): void {
  for (const directory of [...directories].reverse()) {
    try {
      rmdirSync(directory);
    } catch {}
  }
}
