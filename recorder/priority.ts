/** A storm that fills all processors must not starve the one that records it, as with auditd's priority_boost. */

import { setPriority } from 'node:os';

const NICE = -5;

/** Raises the priority of the main thread. To be called after anything is started that must not inherit it. */
export function raisePriority(): void {
  try {
    setPriority(NICE);
  } catch {} // it is only a help
}
