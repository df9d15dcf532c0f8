/**
 * The thread of resident.ts: the session that `snooprec start` opens, with the same options, and the questions of `snoopq`.
 * Only the command line around them is left out.
 */

import { workerData } from 'node:worker_threads';
import { type RawOptions, recordOptions } from '../../recorder/options.js';
import { cgroupScope } from '../../recorder/scope.js';
import { openSession, type Session } from '../../recorder/service.js';
import { ask } from '../query/io.js';
import type { Line, Told, Wish } from './resident.js';
import { shareProbes } from './shared-probes.js';

const { port, answered } = workerData as Line;
const labs = process.env['SNOOPREC_TEST_LABS'];
if (labs) shareProbes(cgroupScope([labs]));
let session: Session | null = null;

async function grant(wish: Wish): Promise<Told> {
  if (wish.do === 'ask') {
    const { status, out, err } = await ask(wish.db, wish.args);
    return { status, stdout: out, stderr: err };
  }
  await session?.stop('stopped');
  session = wish.do === 'record' ? openSession(recordOptions(rawOf(wish.args))) : null;
  return { status: 0, stdout: '', stderr: '' };
}

/** What commander makes of `--option value` pairs. */
function rawOf(args: readonly string[]): RawOptions {
  const raw: Record<string, string | string[]> = {};
  for (let at = 0; at < args.length; at += 2) {
    const name = (args[at] as string).slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const value = args[at + 1] as string;
    raw[name] = name === 'cgroup' ? [value] : value;
  }
  return raw;
}

port.on('message', async (wish: Wish) => {
  const told = await grant(wish).catch((error: Error) => ({
    status: 1,
    stdout: '',
    stderr: error.stack ?? '',
  }));
  port.postMessage(told);
  Atomics.store(answered, 0, 1);
  Atomics.notify(answered, 0);
});
