/** Stories made by code: hostile ones, crowded ones, and any at all. */

import fc from 'fast-check';
import type { Story, StoryLife, StorySignal } from '../../query/report/model.js';

const START = Date.UTC(2026, 10, 21, 14) * 1000;

/** Texts that a process may choose as its name, its arguments or its directory. */
export const HOSTILE = [
  '</script><script>document.title="owned"</script>',
  '<img src=x onerror=document.title="owned">',
  '"><svg onload=document.title="owned">',
  '\'"`&amp;&#60;&lt;',
  '<!--<script>',
  ']]>\u2028\u2029',
  '\u001b[31mred\u001b]0;title\u0007',
  '\u202edrowkcab\u2066\u200b',
  'a\nb\r\tc\u0000',
  '\\N\\G\\L\\"',
  '"]; x --> y; %%{init: {}}%%',
  '#quot;`**bold**`',
  '=cmd|calc',
  '\ud800',
  'Łódź 東京 🦉',
] as const;

export const anyText = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({
    unit: fc.constantFrom('<', '>', '"', "'", '&', '\\', '\u001b', '\u202e', '#', ';', '%', 'a'),
    maxLength: 20,
  }),
);

export function lifeOf(id: number, over: Partial<StoryLife> = {}): StoryLife {
  return {
    id,
    pid: 1000 + id,
    parent_id: null,
    ppid: null,
    comm: `p${id}`,
    exe: `/usr/bin/p${id}`,
    cmdline: `p${id} --now`,
    cwd: '/',
    uid: 0,
    user: 'root',
    unit: null,
    container: null,
    origin: 'fork',
    started_us: START,
    ended_us: START + 1_000_000,
    unseen_end_us: null,
    exit_code: 0,
    exit_signal: null,
    ending: 'exit 0',
    ...over,
  };
}

export function signalOf(id: number, over: Partial<StorySignal> = {}): StorySignal {
  return {
    id,
    time_us: START + 500_000,
    last_time_us: START + 500_000,
    count: 1,
    sig: 15,
    signal: 'SIGTERM',
    sender_id: null,
    target_id: null,
    target_arg: null,
    call_id: null,
    mechanism: 'kill',
    outcome: 'delivered',
    disposition: 'default',
    ...over,
  };
}

export function storyOf(over: Partial<Story> = {}): Story {
  return {
    title: 'a test',
    host: 'fixture',
    subject: null,
    notable: [],
    span: { from: START, to: START + 1_000_000 },
    recorded: { from: START, to: START + 1_000_000 },
    lives: [],
    execs: [],
    signals: [],
    ooms: [],
    gaps: [],
    omitted: [],
    verdicts: [],
    ...over,
  };
}

/** A service with hundreds of workers that signal each other: about `count` events. */
export function crowdedStory(count: number): Story {
  const length = 60_000_000;
  const lives: StoryLife[] = [
    lifeOf(1, { ended_us: null, exit_code: null, ending: 'runs on', comm: 'service' }),
  ];
  const random = randomOf(7);
  const children = Math.floor(count / 10);
  for (let i = 0; i < children; i++) {
    const started = START + Math.floor(random() * length * 0.9);
    const isKilled = random() < 0.1;
    lives.push(
      lifeOf(i + 2, {
        parent_id: i < 200 ? 1 : 2 + Math.floor(random() * Math.min(i, 600)),
        started_us: started,
        ended_us: started + Math.floor(random() * 2_000_000) + 10,
        comm: `worker-${i % 400}`,
        exe: `/opt/worker-${i % 400}`,
        ...(isKilled ? { exit_code: null, exit_signal: 15, ending: 'SIGTERM' } : {}),
      }),
    );
  }
  const signals = Array.from({ length: count - 2 * children }, (_, i) => {
    const time = START + Math.floor((i / (count - 2 * children)) * length);
    const pick = (): number => 1 + Math.floor(random() * lives.length);
    return signalOf(i + 1, { time_us: time, last_time_us: time, sender_id: pick(), target_id: pick() });
  });
  const span = { from: START, to: START + length };
  return storyOf({ subject: 1, notable: [1], lives, signals, span, recorded: span });
}

/** Numbers from 0 to 1 that are the same each time. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** Any story: a forest of lives with any texts, signals between them, gaps. */
export const anyStory: fc.Arbitrary<Story> = fc
  .array(
    fc.record({
      parent: fc.nat(),
      comm: fc.option(anyText),
      exe: fc.option(anyText),
      cmdline: fc.option(anyText),
      from: fc.nat(1_000_000),
      length: fc.nat(1_000_000),
      isRunning: fc.boolean(),
      signal: fc.option(fc.constantFrom(9, 15)),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .chain(seeds => {
    const lives = seeds.map((seed, i) =>
      lifeOf(i + 1, {
        parent_id: i === 0 || seed.parent % 5 === 0 ? null : 1 + (seed.parent % i),
        comm: seed.comm,
        exe: seed.parent % 2 === 0 ? '/bin/true' : seed.exe,
        cmdline: seed.cmdline,
        started_us: START + seed.from,
        ended_us: seed.isRunning ? null : START + seed.from + seed.length,
        exit_code: seed.isRunning || seed.signal !== null ? null : 0,
        exit_signal: seed.isRunning ? null : seed.signal,
        ending: seed.isRunning
          ? 'runs on'
          : seed.signal === null
            ? 'exit 0'
            : seed.signal === 9
              ? 'SIGKILL'
              : 'SIGTERM',
      }),
    );
    const id = fc.option(fc.integer({ min: 1, max: lives.length }));
    const signal = fc.record({
      sender: id,
      target: id,
      time: fc.nat(1_500_000),
      text: anyText,
      count: fc.integer({ min: 1, max: 9 }),
    });
    return fc
      .record({ signals: fc.array(signal, { maxLength: 40 }), text: anyText })
      .map(({ signals, text }) =>
        storyOf({
          title: text,
          host: text,
          subject: 1,
          notable: [1],
          lives: lives.sort((a, b) => a.started_us - b.started_us || a.id - b.id),
          signals: signals
            .map(({ sender, target, time, text, count }, i) =>
              signalOf(i + 1, {
                sender_id: sender,
                target_id: target,
                time_us: START + time,
                last_time_us: START + time,
                mechanism: text,
                outcome: i % 3 === 0 ? 'EPERM' : 'delivered',
                count,
              }),
            )
            .sort((a, b) => a.time_us - b.time_us || a.id - b.id),
          execs: lives.map(({ id }) => ({
            id,
            process_id: id,
            time_us: START + 10 * id,
            comm: text,
            filename: text,
            cmdline: text,
            result: id % 4 === 0 ? 'ENOENT' : 'ok',
          })),
          gaps: [{ kind: 'lost', event: 'signal', count: 3, cause: text, from: START + 10, to: START + 500 }],
          span: { from: START, to: START + 2_000_000 },
          recorded: { from: START + 5, to: START + 1_900_000 },
          omitted: [text],
        }),
      );
  });
