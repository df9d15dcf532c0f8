/** A story as a list of events in the order of time: the table below the picture, and what a pointer is told. */

import { showDuration } from '../time.js';
import { nameOf, type Story, type StoryLife, type StorySignal } from './model.js';
import { clockTime, type Zone } from './zone.js';

export const EVENT_KINDS = ['start', 'exec', 'signal', 'oom', 'end', 'gap'] as const;

export type EventKind = (typeof EVENT_KINDS)[number];

/** One line of the table. */
export interface StoryEvent {
  /** Which thing of the picture: `l` life, `x` exec, `s` signal, `o` OOM kill, `g` gap, with its id. */
  key: string;
  time_us: number;
  kind: EventKind;
  /** To whom it happened, or who did it. */
  who: string;
  what: string;
  /** A signal ended the process. */
  isDeath?: boolean;
}

/** All events within the span, oldest first. */
export function eventsOf(story: Story): StoryEvent[] {
  const { span, lives, execs, signals, ooms, gaps } = story;
  const byId = new Map(lives.map(life => [life.id, life]));
  const name = (id: number | null): string => {
    const life = id === null ? undefined : byId.get(id);
    return life === undefined ? '?' : nameOf(life);
  };
  const events: StoryEvent[] = [];
  for (const life of lives) {
    const who = nameOf(life);
    if (life.origin === 'fork') {
      const what = life.parent_id === null ? 'started' : `forked by ${name(life.parent_id)}`;
      events.push({ key: `l${life.id}`, time_us: life.started_us, kind: 'start', who, what });
    }
    const ended = life.ended_us ?? life.unseen_end_us;
    if (ended !== null)
      events.push({
        key: `l${life.id}`,
        time_us: ended,
        kind: 'end',
        who,
        what: life.ending,
        isDeath: life.exit_signal !== null,
      });
  }
  for (const { id, process_id: process, time_us, cmdline, filename, result } of execs) {
    const failed = result === 'ok' ? '' : `: ${result}`;
    const what = `${result === 'ok' ? (cmdline ?? filename ?? '?') : (filename ?? '?')}${failed}`;
    events.push({ key: `x${id}`, time_us, kind: 'exec', who: name(process), what });
  }
  for (const signal of signals) {
    const who = signal.sender_id === null ? 'kernel' : name(signal.sender_id);
    events.push({
      key: `s${signal.id}`,
      time_us: signal.time_us,
      kind: 'signal',
      who,
      what: sentence(signal, signal.target_id === null ? null : name(signal.target_id)),
    });
  }
  for (const { id, time_us, victim_id: victim } of ooms)
    events.push({
      key: `o${id}`,
      time_us,
      kind: 'oom',
      who: name(victim),
      what: 'chosen when memory ran out',
    });
  for (const [i, gap] of gaps.entries()) {
    const what =
      gap.count === null ? gap.cause : `${gap.cause}: ${gap.count} ${gap.event ?? 'records'} missing`;
    events.push({ key: `g${i}`, time_us: gap.from, kind: 'gap', who: 'recorder', what });
  }
  return events
    .filter(({ time_us: time }) => time >= span.from && time <= span.to)
    .sort((a, b) => a.time_us - b.time_us || EVENT_KINDS.indexOf(a.kind) - EVENT_KINDS.indexOf(b.kind));
}

function sentence(signal: StorySignal, target: string | null): string {
  const times = signal.count > 1 ? ` ×${signal.count}` : '';
  const whom = target ?? (signal.target_arg === null ? '?' : `pid ${signal.target_arg}`);
  return `${signal.signal === '0' ? 'signal 0' : signal.signal}${times} → ${whom} by ${signal.mechanism}: ${fateOf(signal)}`;
}

/** What became of a signal, in a word. */
export function fateOf({ outcome, disposition }: StorySignal): string {
  return outcome === 'delivered' && disposition !== null ? disposition : outcome;
}

/** Says of each thing of the picture what is known of it, a line for each fact; nothing of what is not in the story. */
export function tellerOf(story: Story, events: readonly StoryEvent[], zone: Zone): (key: string) => string[] {
  const lives = new Map(story.lives.map(life => [`l${life.id}`, life]));
  const byKey = new Map(events.filter(({ key }) => !lives.has(key)).map(event => [event.key, event]));
  const signals = new Map(story.signals.map(signal => [`s${signal.id}`, signal]));
  return key => {
    const life = lives.get(key);
    if (life !== undefined) return describeLife(life, zone);
    const event = byKey.get(key);
    if (event === undefined) return [];
    const signal = signals.get(key);
    const until =
      signal === undefined || signal.count === 1
        ? ''
        : ` to ${clockTime(signal.last_time_us, zone)}, ${signal.count} times`;
    return [`${event.who}: ${event.what}`, `${clockTime(event.time_us, zone)}${until}`];
  };
}

/** What is known of a life, a line for each fact. */
function describeLife(life: StoryLife, zone: Zone): string[] {
  const user = life.uid === null ? null : `user ${life.user ?? life.uid}`;
  const place = [
    user,
    life.unit,
    life.container === null ? null : `container ${life.container.slice(0, 12)}`,
  ];
  const ended = life.ended_us ?? life.unseen_end_us;
  const times = `${clockTime(life.started_us, zone)} to ${ended === null ? '…' : clockTime(ended, zone)}`;
  return [
    `${nameOf(life)}: ${life.ending}`,
    ended === null ? times : `${times} (${showDuration(ended - life.started_us)})`,
    life.cmdline ?? life.exe ?? '',
    place.filter(part => part !== null).join(', '),
    life.cwd === null ? '' : `in ${life.cwd}`,
  ].filter(line => line !== '');
}
