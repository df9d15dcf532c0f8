/** snooprec as a subject: the recorder of the whole machine, into a database that is deleted unread but for its counts. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { lockHolder } from '../../recorder/lock.js';
import { cpuOf } from './proc.js';
import { type Facts, runCommand, SNOOPREC, tryCommand } from './programs.js';
import type { Scene } from './scene.js';
import { Refused, type Subject, type Workload } from './subject.js';

/** A recorder that runs. */
export class Recording {
  readonly db: string;
  readonly pid: number;
  readonly #stop: () => void;

  /** Starts one for the whole machine; returns when every probe is attached. */
  constructor(scene: Scene, ...options: string[]) {
    this.db = join(scene.subdirectory(), 'bench.db');
    const started = tryCommand(process.execPath, SNOOPREC, 'start', '--db', this.db, ...options);
    if (started.status !== 0) throw new Refused(started.stderr.split('\n')[0]);
    this.pid = lockHolder(this.db)?.pid ?? 0;
    this.#stop = scene.defer(() => runCommand(process.execPath, SNOOPREC, 'stop', '--db', this.db));
  }

  /** Everything is in the database then. */
  stop(): void {
    this.#stop();
  }

  /** The one value of a query. */
  value(sql: string, ...parameters: unknown[]): number {
    const db = new Database(this.db, { readonly: true });
    try {
      return db
        .prepare(sql)
        .pluck()
        .get(...parameters) as number;
    } finally {
      db.close();
    }
  }

  /** How many operations of a workload are in the recording. */
  recorded({ kind, sig }: Pick<Workload, 'kind' | 'sig'>, { pid }: Facts): number {
    return kind === 'execs'
      ? this.value(`SELECT count(*) FROM exec e JOIN argv a ON a.id = e.argv WHERE a.args ->> 1 = 'child'`)
      : this.value(
          'SELECT coalesce(sum(count), 0) FROM signals WHERE sender_pid = ? AND sig = ? AND mechanism = ?',
          pid,
          sig,
          'kill',
        );
  }

  /** Records that it had no room for, of all the machine. */
  get lost(): number {
    return this.value('SELECT sum(lost) FROM recording');
  }

  get bytes(): number {
    return statSync(this.db).size;
  }
}

export const SNOOPREC_SUBJECT: Subject = {
  name: 'snooprec',
  kinds: ['calls', 'signals', 'execs'],
  share: 1,
  async open(scene, workload) {
    const recording = new Recording(scene);
    return {
      cpuUs: () => cpuOf(recording.pid),
      async close(facts) {
        recording.stop();
        const recorded = workload.program === 'getppid' ? facts.ops : recording.recorded(workload, facts);
        return { lost: 1 - recorded / facts.ops, bytes: recording.bytes };
      },
    };
  },
};
