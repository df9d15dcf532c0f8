/** A peer of the table as a subject: started, waited for, told to end, its output counted. */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Peer } from './peers.js';
import { bytesIn } from './peers.js';
import { cpuOf, descriptors } from './proc.js';
import { tryCommand } from './programs.js';
import type { Scene } from './scene.js';
import { type Kind, Refused, type Subject } from './subject.js';

const READY_MS = 20_000;
const SETTLED_MS = 300;
const END_MS = 60_000;

/** A command that records in the background; stdout and stderr go into files of its directory. */
export class Background {
  readonly pid: number;
  readonly directory: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #abandon: () => void;
  #error = '';
  hasEnded = false;

  constructor(scene: Scene, directory: string, [file, ...args]: string[]) {
    this.directory = directory;
    const out = openSync(join(directory, 'stdout'), 'w', 0o600);
    const err = openSync(join(directory, 'stderr'), 'w', 0o600);
    this.#child = spawn(file as string, args, { cwd: directory, stdio: ['ignore', out, err] });
    closeSync(out);
    closeSync(err);
    this.pid = this.#child.pid ?? 0;
    this.#ended = new Promise(resolve => {
      const end = () => {
        this.hasEnded = true;
        resolve();
      };
      this.#child.once('error', error => {
        this.#error = error.message;
        end();
      });
      this.#child.once('close', end);
    });
    this.#abandon = scene.defer(() => this.#child.kill('SIGKILL'));
  }

  /** Waits until `isReady`; Refused when it ends before, with what it said. */
  async ready(isReady: () => boolean): Promise<void> {
    for (const until = Date.now() + READY_MS; Date.now() < until; await sleep(50)) {
      if (this.hasEnded) throw new Refused(this.#words());
      if (!isReady()) continue;
      await sleep(SETTLED_MS);
      if (!this.hasEnded) return;
    }
    await this.end('SIGKILL');
    throw new Refused(`was not ready after ${READY_MS / 1000} s: ${this.#words()}`);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_MS);
    await this.#ended;
    clearTimeout(timer);
    this.#abandon();
  }

  /** The first thing that it complained of. */
  #words(): string {
    const said = readFileSync(join(this.directory, 'stderr'), 'utf8');
    const words = said
      .split('\n')
      .map(line => line.trim())
      .filter(line => line !== '');
    return this.#error || words.slice(0, 2).join(' ') || 'it ended without a word';
  }
}

/** The subject that a peer of the table is. */
export function background(peer: Peer): Subject {
  return {
    name: peer.name,
    kinds: Object.keys(peer.command) as Kind[],
    share: 1,
    async open(scene, workload) {
      const directory = scene.subdirectory();
      const command = peer.command[workload.kind]?.(directory);
      if (command === undefined) throw new Refused(`does not record ${workload.kind}`);
      const process = new Background(scene, directory, command);
      await process.ready(() => descriptors(process.pid, peer.ready.descriptor) >= peer.ready.count);
      return {
        cpuUs: () => cpuOf(process.pid),
        async close(facts) {
          await process.end('SIGINT');
          const bytes = bytesIn(directory);
          const lost = workload.program === 'getppid' ? null : peer.lost(directory, facts, workload);
          return { lost: lost === null ? null : Math.max(0, lost), bytes };
        },
      };
    },
  };
}

/** Lines of its stdout that match an extended regular expression. */
export function countLines(directory: string, pattern: string): number {
  return Number(tryCommand('grep', '-a', '-c', '-E', pattern, join(directory, 'stdout')).stdout);
}
