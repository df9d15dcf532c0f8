/** The verdict in plain English: what happened, and in the last sentence how sure that is. Pure. */

import { signedBy } from './deliveries.js';
import type { Grace } from './grace.js';
import { courierOf } from './instigator.js';
import { describeGaps } from './loss.js';
import { isLethal, signalName } from './signal-names.js';
import { fromIsoTime, showDuration } from './time.js';
import type { EarlierSignal, Facts, Process, Verdict } from './verdict.js';

const HANDLED_NEAR_US = 120_000_000; // systemd gives a unit 90 s between SIGTERM and SIGKILL

/** What is said of `verdict`, which stands complete but for that: of it alone, and with what led to it and how sure it is. */
export function explain(verdict: Verdict, facts: Facts): Pick<Verdict, 'summary' | 'explanation'> {
  const sentences = {
    killed: () => [...killed(verdict, facts), ...before(verdict), ...behalf(verdict)],
    exited: () => exited(verdict, facts),
    running: () => [...running(verdict, facts), ...stoppedNow(verdict)],
    unknown: () => unknown(verdict, facts),
  }[verdict.verdict]();
  const summary = sentences.join(' ');
  return { summary, explanation: [summary, ...led(verdict), confidence(verdict, facts)].join(' ') };
}

/** What is said when no process was found at all. */
export function explainNothing(what: string, span: string, isOlderGone: boolean): string {
  const older = isOlderGone
    ? ' Older segments of the recording are gone; only violent deaths are kept of them.'
    : '';
  return `No ${what} was seen ${span}.${older}`;
}

/** `bash (pid 5978)`. */
export function nameOf(process: Pick<Process, 'comm' | 'pid'>): string {
  return `${process.comm ?? 'a process of unknown name'} (pid ${process.pid})`;
}

function killed(v: Verdict, { end, oom, deliveries }: Facts): string[] {
  const victim = nameOf(v.process as Process);
  const signal = v.signal?.name ?? 'a signal';
  const age = end.ended_us === null ? '' : `${showDuration(end.ended_us - end.started_us)} after it started`;
  const delay = v.delay_us === null ? '' : `; it died ${showDuration(v.delay_us)} after the signal`;
  const core = v.signal?.core_dumped ? ' It dumped core.' : '';
  if (v.mechanism === null)
    return [
      `${victim} was killed by ${signal}, ${age}; no such signal to it was recorded.${core}`,
      ...signedBy(end, deliveries),
    ];
  if (v.mechanism === 'oom') {
    const where = oom?.memory_cgroup
      ? `memory cgroup ${oom.memory_cgroup} reached its limit`
      : 'the kernel ran out of memory';
    const trigger =
      oom?.trigger_comm != null && oom.trigger_pid !== v.pid
        ? `${oom.trigger_comm} (pid ${oom.trigger_pid}) asked for the memory that was not there; it is not to blame.`
        : '';
    const held = oom?.rss_kb == null ? '' : `; it held ${showMemory(oom.rss_kb)} of memory then`;
    return [
      `The kernel killed ${victim} with ${signal}, ${age}, because ${where}${held}.${core}`,
      ...(trigger === '' ? [] : [trigger]),
    ];
  }
  if (v.killer === null) return [`${victim} was killed by ${signal}, ${age}: ${unsent(v)}${delay}.${core}`];
  if (v.killer.id === v.process?.id) return [`${selfInflicted(v, victim, signal, age)}${delay}.${core}`];
  return [
    `${nameOf(v.killer)} killed ${victim} with ${signal} ${by(v.mechanism)}, ${age}${delay}.${core}`,
    ...group(v),
  ];
}

function showMemory(kb: number): string {
  if (kb < 10 * 1024) return `${kb} KiB`;
  return kb < 10 * 1024 * 1024 ? `${Math.round(kb / 1024)} MiB` : `${(kb / 1024 / 1024).toFixed(1)} GiB`;
}

function selfInflicted(v: Verdict, victim: string, signal: string, age: string): string {
  const handled = lastHandled(v.earlier_signals.filter(s => s.signal.number === v.signal?.number));
  if (signal === 'SIGABRT') return `${victim} aborted itself: ${signal} ${by(v.mechanism ?? '')}, ${age}`;
  const after = handled === null ? '' : `, having handled ${article(handled)} before`;
  return `${victim} killed itself with ${signal} ${by(v.mechanism ?? '')}, ${age}${after}`;
}

function group(v: Verdict): string[] {
  const arg = v.call?.name === 'kill' ? v.call.target_arg : null;
  if (arg === null || arg > 0) return [];
  if (arg === -1) return ['The call was aimed at every process it may signal: kill(-1).'];
  return [
    arg === 0
      ? 'The call was aimed at its own process group.'
      : `The call was aimed at process group ${-arg}.`,
  ];
}

function exited(v: Verdict, { end }: Facts): string[] {
  const code = v.exit_code ?? 0;
  const age = end.ended_us === null ? '' : `${showDuration(end.ended_us - end.started_us)} after it started`;
  const handled = end.ended_us === null ? null : lastHandled(v.earlier_signals);
  const since =
    handled === null || end.ended_us === null ? null : end.ended_us - fromIsoTime(handled.last_time);
  const after =
    handled === null || since === null || since > HANDLED_NEAR_US
      ? ''
      : `, ${showDuration(since)} after ${article(handled)} that it handled`;
  return [
    `${nameOf(v.process as Process)} was not killed: it exited ${code} by itself, ${age}${after}.`,
    ...(v.cause === null ? wrapper(code) : []),
  ];
}

function wrapper(code: number): string[] {
  const number = code - 128;
  if (number < 1 || number > 64 || !isLethal(number)) return [];
  const status = `Status ${code} is 128 + ${number}: what a shell or wrapper reports when a child died of ${signalName(number)}. No signal ended this process, and the number alone does not say why the child died.`;
  return [status];
}

/** What was asked of it before, and whether it could act. */
function before({ grace, stopped, killer, signal }: Verdict): string[] {
  const sentences: string[] = [];
  if (grace !== null) {
    const { sender, waited_us: waited, fate } = grace;
    const asked = sender === null ? 'Something' : nameOf({ comm: sender.comm, pid: sender.pid ?? 0 });
    const who = sender !== null && sender.id === killer?.id ? 'The same process' : asked;
    sentences.push(`${who} had sent it ${grace.signal.name} ${showDuration(waited)} before, ${FATES[fate]}.`);
  }
  if (stopped !== null) {
    const from =
      stopped.sender === null
        ? ''
        : ` from ${nameOf({ comm: stopped.sender.comm, pid: stopped.sender.pid ?? 0 })}`;
    const meanwhile =
      signal?.name === 'SIGKILL'
        ? 'only SIGKILL reaches a stopped process'
        : `${signal?.name ?? 'the signal'} had to wait`;
    const going =
      stopped.continued_by === null
        ? ''
        : ` until ${nameOf({ comm: stopped.continued_by.comm, pid: stopped.continued_by.pid ?? 0 })} let it go on`;
    sentences.push(`It was stopped then, by a ${stopped.signal.name}${from}${going}; ${meanwhile}.`);
  }
  return sentences;
}

const FATES: Record<Grace['fate'], string> = {
  handled: 'which it handled without ending',
  blocked: 'which it had blocked',
  ignored: 'which it ignores',
  unkillable:
    'which the kernel dropped: the first process of a pid namespace gets only what it has a handler for',
  default: 'which had not ended it by then',
};

/** Who wanted it. */
function behalf({ instigator, killer, process: victim }: Verdict): string[] {
  if (instigator === null) {
    const courier = killer === null || killer.id === victim?.id ? undefined : courierOf(killer);
    if (courier === undefined || courier.will === 'relay') return [];
    const asked = courier.will === 'service' ? '; who asked it to is not known' : ', of its own will';
    return [`${killer?.comm} ${courier.doc}${asked}.`];
  }
  const { process, why, certainty, exec } = instigator;
  const user = process.user === null ? '' : ` of ${process.user}`;
  const who = `${nameOf(process)}${user}`;
  if (exec === null) return [`${certainty === 'proven' ? 'On' : 'Probably on'} behalf of ${who}: ${why}.`];
  return [
    killer === null
      ? `Who sent it is not known, but probably it was ${who}: ${why}.`
      : `Probably ${who} asked for it: ${why}.`,
  ];
}

function stoppedNow({ stopped }: Verdict): string[] {
  if (stopped === null) return [];
  const from =
    stopped.sender === null
      ? ''
      : ` from ${nameOf({ comm: stopped.sender.comm, pid: stopped.sender.pid ?? 0 })}`;
  return [`It was stopped by a ${stopped.signal.name}${from}, and nobody let it go on.`];
}

function running(v: Verdict, { recorded }: Facts): string[] {
  const when = recorded.isRunning ? 'as far as recorded' : 'when the recording ended';
  return [`${nameOf(v.process as Process)} was still running ${when}.`];
}

function unknown(v: Verdict, { end }: Facts): string[] {
  const name = nameOf(v.process as Process);
  if (end.ended_us !== null) return [`${name} ended, but with what status was not recorded.`];
  return [`${name} ended unseen: its exit was not recorded, and at the next look it was gone.`];
}

/** The deaths that led to it, the nearest first. */
export function led({ cause, cause_why: why, process }: Verdict): string[] {
  if (cause === null) return [];
  const lead =
    why === null
      ? 'What led to it:'
      : `The end of ${nameOf(process as Process)} probably tells of a child (${why}):`;
  const doubt = cause.confidence === 'proven' ? [] : ['Not all around that was recorded.'];
  return [`${lead} ${cause.summary}`, ...doubt, ...led(cause)];
}

/** How sure it is: the last sentence of the explanation, cut at the last mark, for names before it may hold one too. */
export function confidenceSentence({ explanation, confidence: sure }: Verdict): string {
  return explanation.slice(explanation.lastIndexOf(`${sure[0]?.toUpperCase()}${sure.slice(1)}: `));
}

function confidence(v: Verdict, facts: Facts): string {
  const gaps = describeGaps(v.coverage.gaps);
  if (v.confidence === 'proven') {
    if (v.verdict === 'running') return 'Proven: nothing was lost since it started.';
    const what = v.verdict === 'killed' ? 'the signal and the death were recorded' : 'its end was recorded';
    return `Proven: ${v.mechanism === 'oom' ? 'the choice of the kernel and the death were recorded' : what} and nothing was lost around ${v.verdict === 'killed' ? 'them' : 'it'}.`;
  }
  if (v.confidence === 'consistent') {
    const what =
      v.verdict === 'killed'
        ? 'the cause was recorded'
        : v.verdict === 'running'
          ? 'no end was recorded'
          : 'its end was recorded';
    return `Consistent: ${what}, but ${gaps || 'the recording does not reach back to it'}${gaps ? ' near it' : ''}.`;
  }
  return `Incomplete: ${gaps || missing(v, facts)}.`;
}

function missing(v: Verdict, { recorded, end }: Facts): string {
  if (v.verdict === 'unknown') return 'its end was not seen';
  const isOlder = recorded.reach !== null && end.ended_us !== null && end.ended_us < recorded.reach;
  if (isOlder && recorded.isOlderGone) return 'the segment in which it ended is gone';
  const isEarly = recorded.from !== null && end.ended_us !== null && end.ended_us - recorded.from < 1_000_000;
  return isEarly
    ? 'the recording had only just begun'
    : 'nothing was lost near it, so the cause lies outside of what is recorded';
}

function lastHandled(signals: readonly EarlierSignal[]): EarlierSignal | null {
  return signals.findLast(s => wasHandled(s)) ?? null;
}

/** What was recorded of the handler itself goes before what was to be expected when the signal was sent. */
function wasHandled({ delivered, disposition, outcome }: EarlierSignal): boolean {
  return (delivered?.action ?? disposition) === 'handled' && !/^E[A-Z]/.test(outcome);
}

/** "a SIGTERM from systemd (pid 1)". */
function article(s: EarlierSignal): string {
  const from =
    s.sender === null || s.sender.pid === null
      ? ''
      : ` from ${nameOf({ comm: s.sender.comm, pid: s.sender.pid })}`;
  return `a ${s.signal.name}${from}`;
}

/** How, of a signal that a process sent. */
function by(mechanism: string): string {
  switch (mechanism) {
    case 'cgroup.kill':
      return 'by writing to a cgroup.kill file';
    case 'pdeathsig':
      return 'by dying (the victim had asked for that: PR_SET_PDEATHSIG)';
    case 'pidns-teardown':
      return 'by ending (it was the first process of their pid namespace)';
    case 'tty':
      return 'through the terminal';
    default:
      return `by ${mechanism}(2)`;
  }
}

const UNSENT: Record<string, string> = {
  fault: 'its own instruction faulted, nobody sent it',
  sigpipe: 'it wrote to a pipe or socket that nobody reads, nobody sent it',
  timer: 'a timer of its own ran out, nobody sent it',
  rlimit: 'it reached a resource limit, nobody sent it',
  seccomp: 'a seccomp filter refused a system call of it, nobody sent it',
  kernel: 'the kernel sent it, for a reason not told apart',
  pdeathsig: 'its parent died, and it had asked for this signal then',
  'pidns-teardown': 'the first process of its pid namespace ended',
};

/** Who, of a signal that no process sent. */
function unsent({ mechanism, signal, cause, cause_why: why }: Verdict): string {
  if (mechanism === 'tty') {
    if (signal?.name !== 'SIGHUP') return 'a key that was typed at its terminal';
    return cause === null || why !== null || cause.process === null
      ? 'its terminal was hung up'
      : `${nameOf(cause.process)} ended, and that hung up its terminal or left its group an orphan`;
  }
  return UNSENT[mechanism ?? ''] ?? `by ${mechanism}, from a sender that is not known`;
}
