/** Where an exit status came from: which end of a child explains the end of its parent. Pure; the rules are in wrappers.ts. */

import { type Program, programNames } from './instigator.js';
import { type End, HABITS } from './wrappers.js';

/** A process that ended, as far as the rules look at it. */
export interface Ended extends End {
  id: number;
  ended_us: number;
}

/** A child that ended, and whether its parent had sent it a lethal signal. */
export interface EndedChild extends Ended {
  isSignalled: boolean;
}

/** The habit by which `parent` passed on the end of `child`; null: there is none. */
export function passesOn(parent: Ended & Program, child: EndedChild): string | null {
  const before = parent.ended_us - child.ended_us;
  if (before < 0) return null;
  const names = programNames(parent);
  for (const { programs, ends, onlyIfSignalled, within, doc } of HABITS) {
    if (before > within || (onlyIfSignalled && !child.isSignalled)) continue;
    if (programs !== undefined && !programs.some(name => names.includes(name))) continue;
    const end = ends(child);
    if (end === null) continue;
    if ((end.exit_code ?? null) === parent.exit_code && (end.exit_signal ?? null) === parent.exit_signal)
      return doc;
  }
  return null;
}

/** Of the children the one whose end explains that of `parent`: the last, for that is the one which a wrapper reports. */
export function explainedBy<Child extends EndedChild>(
  parent: Ended & Program,
  children: readonly Child[],
): { child: Child; why: string } | null {
  for (const child of [...children].sort((a, b) => b.ended_us - a.ended_us)) {
    const why = passesOn(parent, child);
    if (why !== null) return { child, why };
  }
  return null;
}
