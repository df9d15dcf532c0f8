/**
 * Probes that are loaded once for many recordings: on an emulated machine (test/kernels) the verifier and libbpf take seconds
 * for each load, ten times what the rest of a test takes. They record the cgroups of all laboratories, of which one is in
 * use at a time; what came between two of them is passed over. A recording with a scope or options of its own gets its own.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbeOptions } from '../../recorder/object.js';
import { Probes } from '../../recorder/probes.js';
import type { Scope } from '../../recorder/scope.js';

const PAUSE_MS = 50;

/** From now on `Probes.load` gives out the shared ones for cgroups directly below those of `scope`. */
export function shareProbes(scope: Scope): void {
  const load = Probes.load;
  const loaded = new Map<string, Probes>();
  Probes.load = (options: ProbeOptions, db: string | null): Probes => {
    if (options.scope.kind !== 'cgroups') return load(options, db);
    const key = JSON.stringify({ ...options, db: null, scope });
    const shared = loaded.get(key) ?? load({ ...options, scope }, null);
    loaded.set(key, shared);
    return lend(shared);
  };
}

/** The probes with a clock in place of the waiter, which is called but once, and without their end. */
function lend(shared: Probes): Probes {
  for (const lane of [shared.lethal, shared.bulk]) {
    lane.look(Number.POSITIVE_INFINITY);
    while (lane.next()) lane.take();
    lane.commit();
  }
  return Object.create(shared, {
    waiter: { value: { wait: (ms: number) => sleep(Math.min(ms, PAUSE_MS)), call() {} } },
    snapshot: { value: () => shared.snapshot() },
    detach: { value() {} },
    release: { value() {} },
  });
}
