/** The genealogy of an exit status for a terminal: the sentence, then one line for each process, the outermost first. */

import { escapeText } from '../escape.js';
import { type Evidence, evidenceLine } from '../evidence.js';
import type { Link, WhyExit } from '../explain-exit.js';
import { type Clock, fromIsoTime, showTime } from '../time.js';
import type { Process, Verdict } from '../verdict.js';
import type { Painter } from './paint.js';
import { wrap } from './width.js';

interface Setting {
  clock: Clock;
  paint: Painter;
  width: number;
}

/** The block of text; ends with a line feed. */
export function showExit(found: WhyExit, { clock, paint, width }: Setting): string {
  const sentence = wrap(escapeText(found.explanation), width).map(line => paint('bold', line));
  const { passed_on: parents, chain } = found;
  const steps = [
    ...parents.toReversed().map(step => ({ ...step, is: 'passed it on', killer: null })),
    { ...ended(found), is: 'asked about' },
    ...chain.map(link => ({ ...ended(link), is: 'tells of it' })),
  ];
  const lines = steps.map(({ process, exit_code: code, exit_signal: sig, is, killer }, i) => {
    const end = process?.ended == null ? 'no end recorded' : sig === null ? `exit ${code}` : `signal ${sig}`;
    const time = process?.ended == null ? '' : `${showTime(fromIsoTime(process.ended), clock, 6)}  `;
    const by = killer === null ? '' : `  by ${short(killer)}`;
    const what = `${time}${end}${by}`;
    return `${'  '.repeat(i)}${i === 0 ? '' : '└─ '}${short(process)}  ${escapeText(what)}${paint('dim', `  ${is}`)}`;
  });
  const proof = proofOf(found);
  const unique = proof.filter(
    (row, i) => proof.findIndex(other => other.table === row.table && other.id === row.id) === i,
  );
  const evidence = `${paint('dim', 'Evidence  ')}${evidenceLine(unique)}`;
  return `${sentence.join('\n')}\n\n${lines.join('\n')}\n\n${evidence}\n`;
}

function proofOf(v: Verdict): Evidence[] {
  return [...v.evidence, ...(v.cause === null ? [] : proofOf(v.cause))];
}

function ended(v: Verdict | Link) {
  return {
    process: v.process,
    exit_code: v.exit_code,
    exit_signal: v.signal?.number ?? null,
    killer: v.killer,
  };
}

function short(process: Process | null): string {
  return escapeText(`${process?.comm ?? '?'}(${process?.pid ?? '?'})`);
}
