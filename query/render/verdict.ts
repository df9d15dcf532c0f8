/** A verdict for a terminal: the sentence first, then the facts it rests on, one a line. */

import { escapeText } from '../escape.js';
import { evidenceLine } from '../evidence.js';
import type { Life } from '../lives.js';
import { safeLine, shellLine } from '../shell.js';
import { signalName } from '../signal-names.js';
import { type Clock, fromIsoTime, showDuration, showTime } from '../time.js';
import type { EarlierSignal, Process, Verdict } from '../verdict.js';
import type { Painter } from './paint.js';
import { wrap } from './width.js';

const LABEL_WIDTH = 16;
const MOST_EARLIER = 5;
const MOST_OTHERS = 5;
const COLORS = { killed: 'red', exited: 'green', running: 'green', unknown: 'yellow' } as const;

interface Setting {
  clock: Clock;
  paint: Painter;
  width: number;
  /** Which of the processes that bore the pid this is; null where all are shown. */
  chosen: string | null;
  /** Others that bear the name that was asked for, the last first. */
  namesakes: readonly Life[];
  /** False: only those among the last ends are known. */
  isCounted: boolean;
}

/** The block of text; ends with a line feed. */
export function showVerdict(
  verdict: Verdict,
  { clock, paint, width, chosen, namesakes, isCounted }: Setting,
): string {
  const sentence = wrap(escapeText(verdict.explanation), width);
  const lines = [...fields(verdict, clock, chosen), ...others(namesakes, clock, isCounted)].map(
    ([label, text]) => `${paint('dim', label.padEnd(LABEL_WIDTH))}${text}`,
  );
  return `${sentence.map(line => paint(['bold', COLORS[verdict.verdict]], line)).join('\n')}\n\n${lines.join('\n')}\n`;
}

export function fields(v: Verdict, clock: Clock, chosen: string | null): [string, string][] {
  const rows: [string, string | null][] = [];
  const time = (iso: string): string => showTime(fromIsoTime(iso), clock, 6);
  if (v.process !== null) {
    rows.push(
      ['Process', describe(v.process)],
      ['Command', command(v.process)],
      ['Started', time(v.process.started)],
    );
  }
  if (v.killer !== null) {
    const isItself = v.killer.id === v.process?.id;
    rows.push(['Killed by', isItself ? 'itself' : describe(v.killer)]);
    rows.push(['Its command', isItself ? null : command(v.killer)]);
    rows.push([
      'Ancestry',
      v.ancestry.length === 0 ? null : [v.killer, ...v.ancestry].map(short).join(' ← '),
    ]);
  }
  if (v.instigator !== null) {
    const { process, certainty, why } = v.instigator;
    rows.push(['On behalf of', `${describe(process)}  (${certainty}: ${escapeText(why)})`]);
  }
  if (v.signal !== null)
    rows.push([
      'Signal',
      `${v.signal.name} (${v.signal.number})${v.signal.core_dumped ? ', core dumped' : ''}`,
    ]);
  rows.push(['Mechanism', mechanism(v)]);
  if (v.exit_code !== null) rows.push(['Exit status', String(v.exit_code)]);
  if (v.sent !== null) rows.push(['Sent', time(v.sent)]);
  if (v.died !== null) {
    rows.push([
      v.verdict === 'killed' ? 'Died' : 'Ended',
      `${time(v.died)}${v.delay_us === null ? '' : `  (${showDuration(v.delay_us)} later)`}`,
    ]);
  }
  if (v.stopped !== null) {
    const until = v.stopped.until === null ? '' : ` to ${time(v.stopped.until)}`;
    rows.push(['Stopped', `${v.stopped.signal.name}, from ${time(v.stopped.since)}${until}`]);
  }
  rows.push(['Confidence', v.confidence]);
  if (v.evidence.length > 0) rows.push(['Evidence', evidenceLine(v.evidence)]);
  if (v.reused > 0 && chosen !== null) {
    const others = v.reused === 1 ? 'one other process' : `${v.reused} other processes`;
    rows.push(['Pid reused', `${others} bore it; this is ${chosen} (see --all, --at)`]);
  }
  v.earlier_signals.slice(-MOST_EARLIER).forEach((signal, i) => {
    rows.push([i === 0 ? 'Earlier signals' : '', earlier(signal, clock)]);
  });
  const hidden = v.earlier_signals.length - MOST_EARLIER;
  if (hidden > 0) rows.push(['', `and ${hidden} before: snoopq signals --target ${v.pid}`]);
  return rows.filter((row): row is [string, string] => row[1] !== null);
}

/** How many others have the name, and the last of them. */
function others(lives: readonly Life[], clock: Clock, isCounted: boolean): [string, string][] {
  if (lives.length === 0 && isCounted) return [];
  const found =
    lives.length === 0
      ? 'none'
      : lives.length === 1
        ? 'one other process'
        : `${lives.length} other processes`;
  const count = isCounted ? found : `${found} among the newest ends, others not counted`;
  const lines = lives.slice(0, MOST_OTHERS).map((life): [string, string] => ['', line(life, clock)]);
  return [['Others', `${count}; this is the last that ended (see --all)`], ...lines];
}

function line(life: Life, clock: Clock): string {
  const { ended_us: ended, exit_signal: sig, exit_code: code } = life;
  const end = ended === null ? null : showTime(ended, clock, 6);
  const how = sig === null ? `exit ${code}` : signalName(sig);
  const fate =
    end === null ? (life.unseen_end_us === null ? 'runs still' : 'ended unseen') : `${end}  ${how}`;
  return escapeText(`${life.comm ?? '?'}(${life.pid})  ${fate}`);
}

function describe(p: Process): string {
  const extras = [
    p.uid === null ? null : (p.user ?? `uid ${p.uid}`),
    p.unit,
    p.container === null ? null : `container ${p.container.slice(0, 12)}`,
  ].filter(extra => extra !== null);
  return escapeText(`${short(p)}${extras.length === 0 ? '' : `, ${extras.join(', ')}`}`);
}

function short(p: Process): string {
  return escapeText(`${p.comm ?? '?'}(${p.pid})`);
}

function command(p: Process): string | null {
  const line = p.args === null ? p.exe && escapeText(p.exe) : safeLine(shellLine(p.args));
  if (line === null) return null;
  return p.cwd === null ? line : `${line}  (in ${escapeText(p.cwd)})`;
}

function mechanism(v: Verdict): string | null {
  if (v.call === null) return v.mechanism;
  const args = v.call.target_arg === null ? '' : `(${v.call.target_arg}, ${v.call.signal_arg})`;
  return `${v.call.name}${args}`;
}

function earlier(s: EarlierSignal, clock: Clock): string {
  const from = s.sender === null ? '' : ` from ${s.sender.comm ?? '?'}(${s.sender.pid ?? '?'})`;
  const times = s.count > 1 ? ` ×${s.count}` : '';
  return escapeText(
    `${showTime(fromIsoTime(s.time), clock, 6)}  ${s.signal.name}${times}${from}: ${fate(s)}`,
  );
}

/** What the process had done about it when it was sent, and what became of it. */
function fate({ outcome, disposition, delivered }: EarlierSignal): string {
  const then = outcome === 'delivered' && disposition !== null ? disposition : outcome;
  if (delivered === null) return then;
  const what = delivered.action === 'handled' ? 'its handler ran' : 'it took effect';
  return `${then}; ${what} ${showDuration(delivered.delay_us)} later`;
}
