/** An exit status in plain English: what it is, what it tells of, and who passed it on. Pure. */

import type { Evidence } from './evidence.js';
import { confidenceSentence, led, nameOf } from './explain.js';
import type { Process, Verdict } from './verdict.js';
import { CONVENTIONS } from './wrappers.js';

/** A call that failed in the process at the end of the chain. */
export interface FailedExec {
  id: number;
  time: string;
  filename: string | null;
  error: string;
}

/** A process whose end another one tells of. */
export interface Link {
  process: Process | null;
  exit_code: number | null;
  signal: Verdict['signal'];
  mechanism: string | null;
  killer: Process | null;
  died: string | null;
  /** The habit by which the one before tells of it. */
  why: string;
}

/** An ancestor that ended with what the end of its child became. */
export interface PassedOn {
  process: Process;
  exit_code: number | null;
  exit_signal: number | null;
  after_us: number | null;
  why: string;
}

/** The answer of `why-exit --json`: the verdict on the process, and where its status came from and went. */
export interface WhyExit extends Verdict {
  /** The children that it tells of, the nearest first; the whole verdict on each is the `cause` of the one before. */
  chain: Link[];
  /** Executions that failed in the last of them, or in itself. */
  failed_execs: FailedExec[];
  /** The ancestors that passed it on, the nearest first. */
  passed_on: PassedOn[];
}

/** `found` with its explanation. */
export function explainExit(found: WhyExit): WhyExit {
  const sentences = [
    found.summary,
    ...led(found),
    ...failure(found),
    ...up(found),
    confidenceSentence(found),
  ];
  const calls = found.failed_execs.map(
    ({ id }): Evidence => ({ table: 'exec', id, what: 'an execution that failed' }),
  );
  return { ...found, evidence: [...found.evidence, ...calls], explanation: sentences.join(' ') };
}

function failure({ chain, failed_execs: failed, ...own }: WhyExit): string[] {
  const last = chain.at(-1) ?? own;
  const call = failed.at(-1);
  const { exit_code: code } = last;
  if (code === null || code === 0) return [];
  if ((code === 126 || code === 127) && call !== undefined)
    return [`Before that it could not execute ${call.filename ?? 'a file'}: ${call.error}.`];
  const meaning = CONVENTIONS.get(code);
  if (meaning !== undefined) return [`${code} is ${meaning}.`];
  return chain.length === 0 ? ['No end of a child shortly before explains that status: it is its own.'] : [];
}

function up({ passed_on: parents }: WhyExit): string[] {
  if (parents.length === 0) return [];
  const names = parents.map(
    ({ process, exit_code: code, exit_signal: sig }) =>
      `${nameOf(process)} ${sig === null ? `exited ${code}` : `ended itself by signal ${sig}`}`,
  );
  return [`It was probably passed on: ${names.join(', then ')}.`];
}
