/** The rows that a verdict rests on, so that whoever doubts it can look them up. Pure. */

import type { DeliveryFact } from './deliveries.js';
import type { Grace, Stop } from './grace.js';
import type { Instigator } from './instigator.js';
import type { Gap } from './loss.js';
import type { OomFact, Process, SignalFact } from './verdict.js';

/** A row: `snoopq sql "SELECT * FROM TABLE WHERE id = ID"`. */
export interface Evidence {
  table: 'process' | 'signal' | 'exec' | 'oom_kill' | 'coverage' | 'delivery';
  id: number;
  /** What it says for this verdict. */
  what: string;
}

interface Grounds {
  process: Process;
  cause: SignalFact | null;
  /** The signal as it took effect. */
  delivery: DeliveryFact | null;
  oom: OomFact | null;
  grace: Grace | null;
  stopped: Stop | null;
  instigator: Instigator | null;
  gaps: readonly Gap[];
}

/** What is most telling first; none twice. */
export function evidenceOf({
  process,
  cause,
  delivery,
  oom,
  grace,
  stopped,
  instigator,
  gaps,
}: Grounds): Evidence[] {
  const rows: (Evidence | null)[] = [
    cause && { table: 'signal', id: cause.id, what: 'the signal that ended it' },
    row('delivery', delivery?.id, 'the signal as it took effect'),
    oom && { table: 'oom_kill', id: oom.id, what: 'the choice of the kernel' },
    { table: 'process', id: process.id, what: 'its start and its end' },
    row('process', cause?.sender_id, 'who sent the signal'),
    row('exec', cause?.sender_exec_id, 'what the sender was running'),
    row('process', cause?.dying_id, 'whose end made the kernel send it'),
    grace && { table: 'signal', id: grace.id, what: 'the request to end before it' },
    stopped && { table: 'signal', id: stopped.id, what: 'what stopped it' },
    row('process', instigator?.process.id, 'who wanted it'),
    row('exec', instigator?.exec?.id, 'the command that names it'),
    ...gaps.map(gap => row('coverage', gap.id, 'what was not recorded near it')),
  ];
  const seen = new Set<string>();
  return rows.filter((found): found is Evidence => {
    if (found === null) return false;
    const key = `${found.table} ${found.id}`;
    return !seen.has(key) && seen.add(key) !== null;
  });
}

/** `signal 4711, process 12`. */
export function evidenceLine(rows: readonly Evidence[]): string {
  return rows.map(({ table, id }) => `${table} ${id}`).join(', ');
}

function row(table: Evidence['table'], id: number | null | undefined, what: string): Evidence | null {
  return id == null ? null : { table, id, what };
}
