/** How a process ended, in a few words. */

import type { Life } from './lives.js';
import { signalName } from './signal-names.js';

type End = Pick<Life, 'exit_code' | 'exit_signal' | 'core_dumped' | 'ended_us' | 'unseen_end_us'>;

/** `exit 0`, `SIGKILL`, `SIGSEGV, core`, `running`, `ended unseen`. */
export function showEnd({ exit_code, exit_signal, core_dumped, ended_us, unseen_end_us }: End): string {
  if (exit_signal !== null) return `${signalName(exit_signal)}${core_dumped === 1 ? ', core' : ''}`;
  if (exit_code !== null) return `exit ${exit_code}`;
  if (ended_us !== null) return 'ended';
  return unseen_end_us === null ? 'running' : 'ended unseen';
}
