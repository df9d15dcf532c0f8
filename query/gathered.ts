/** Gathers the rows of a story, each once, until a bound is reached. */

import type Database from 'better-sqlite3';
import { idRange } from './id-range.js';
import { type Recorded, readGaps } from './loss.js';
import type { Span, Story, StoryExec, StoryGap, StoryLife, StoryOom, StorySignal } from './report/model.js';
import { signalName } from './signal-names.js';
import { fromIsoTime } from './time.js';

/** How much a story may hold. More than a browser can show at once, and no more than it can hold. */
export interface Bounds {
  lives: number;
  execs: number;
  signals: number;
  verdicts: number;
}

const MOST_OF_ONE = 5000; // rows of one process
const MOST_CALLS = 1000;
const EVENTS = ['signal', 'attempt', 'exec', 'fork', 'exit', 'oom'] as const;

const LIFE = `SELECT id, pid, parent_id, ppid, comm, exe, cmdline, cwd, uid, user, unit, container, origin, started_us, ended_us,
  unseen_end_us, exit_code, exit_signal, core_dumped FROM processes`;
export const LIFE_BY_ID = `${LIFE} WHERE id = :id`;
export const CHILDREN =
  'SELECT id FROM processes WHERE parent_id = :id AND started_us <= :to ORDER BY id LIMIT :limit';
const LIVES_OF_SPAN = `SELECT id FROM processes
  WHERE (origin = 'fork' AND started_us BETWEEN :from AND :to) OR ended_us BETWEEN :from AND :to
  ORDER BY id DESC LIMIT :limit`;

const EXEC = 'SELECT id, process_id, time_us, comm, filename, cmdline, result FROM execs';
export const EXECS_OF = `${EXEC} WHERE process_id = :id AND time_us BETWEEN :from AND :to ORDER BY id DESC LIMIT :limit`;
export const EXECS_OF_SPAN = `${EXEC} WHERE id BETWEEN :first_id AND :last_id AND time_us BETWEEN :from AND :to
  ORDER BY id DESC LIMIT :limit`;

// The end of a child is in the story itself: SIGCHLD would tell it again.
const ANY_SIGNAL = `SELECT id, time_us, last_time_us, count, sig, signal, sender_id, target_id, target_arg, call_id, mechanism, outcome,
  disposition FROM signals WHERE mechanism <> 'child'`;
const SIGNAL = `${ANY_SIGNAL} AND time_us <= :to AND last_time_us >= :from`;
const LAST_SIGNALS = 'ORDER BY id DESC LIMIT :limit';
export const SIGNALS_TO = `${SIGNAL} AND target_id = :id ${LAST_SIGNALS}`;
export const SIGNALS_FROM = `${SIGNAL} AND sender_id = :id ${LAST_SIGNALS}`;
export const SIGNALS_OF_SPAN = `${SIGNAL} AND id BETWEEN :first_id AND :last_id ${LAST_SIGNALS}`;
/** A call with several targets: its rows stand together, and the first gives it its number. Whole, beyond the span too. */
export const SIGNALS_OF_CALL = `${ANY_SIGNAL} AND id BETWEEN :call AND :call + 4096 AND call_id = :call ${LAST_SIGNALS}`;
export const OOMS_OF = 'SELECT id, time_us, victim_id FROM oom_kills WHERE victim_id = :id';

/** Rows by id, until a bound is reached. */
export class Gathered {
  private readonly lives = new Map<number, StoryLife>();
  private readonly execs = new Map<number, StoryExec>();
  private readonly signals = new Map<number, StorySignal>();
  private readonly ooms = new Map<number, StoryOom>();
  private readonly omitted = new Set<string>();
  private readonly statements: Record<
    'life' | 'children' | 'execs' | 'to' | 'from' | 'ooms',
    Database.Statement
  >;

  constructor(
    private readonly db: Database.Database,
    private readonly span: Span,
    private readonly bounds: Bounds,
  ) {
    this.statements = {
      life: db.prepare(LIFE_BY_ID),
      children: db.prepare(CHILDREN).pluck(),
      execs: db.prepare(EXECS_OF),
      to: db.prepare(SIGNALS_TO),
      from: db.prepare(SIGNALS_FROM),
      ooms: db.prepare(OOMS_OF),
    };
  }

  get ids(): Iterable<number> {
    return this.lives.keys();
  }

  omit(phrase: string): void {
    this.omitted.add(phrase);
  }

  addLife(id: number): void {
    if (this.lives.has(id)) return;
    if (this.lives.size >= this.bounds.lives) {
      this.omit(`processes: only ${this.bounds.lives} are shown`);
      return;
    }
    const row = this.statements.life.get({ id }) as (StoryLife & { core_dumped: number | null }) | undefined;
    if (row === undefined) return;
    const { core_dumped, ...life } = row;
    this.lives.set(id, { ...life, ending: endingOf(life, core_dumped === 1) });
  }

  /** A process and all below it, the nearest first; gives their ids. */
  addDescendants(id: number): number[] {
    const family = [id];
    for (const next of family) {
      const limit = this.bounds.lives - this.lives.size + 1;
      for (const child of this.statements.children.all({ id: next, to: this.span.to, limit }) as number[]) {
        this.addLife(child);
        if (this.lives.has(child)) family.push(child);
      }
    }
    return family;
  }

  /** They put the rest into its place. */
  addAncestors(): void {
    // They grow the list that is walked.
    for (const id of this.ids) {
      const parent = this.lives.get(id)?.parent_id;
      if (parent != null) this.addLife(parent);
    }
  }

  /** What a process executed, and sent and received: those it dealt with come into the story. */
  addEventsOf(id: number, hasSignals: boolean): void {
    const limit = MOST_OF_ONE + 1;
    const asked = { id, ...this.span, limit };
    this.addExecs(this.statements.execs.all(asked) as StoryExec[], MOST_OF_ONE);
    if (!hasSignals) return;
    for (const statement of [this.statements.to, this.statements.from])
      this.addSignals(statement.all(asked) as StorySignal[], MOST_OF_ONE);
    for (const oom of this.statements.ooms.all({ id }) as StoryOom[]) this.ooms.set(oom.id, oom);
  }

  /** Whom else the calls hit that hit somebody of the story. */
  addCalls(): void {
    const calls = new Set([...this.signals.values()].map(({ call_id: call }) => call));
    const statement = this.db.prepare(SIGNALS_OF_CALL);
    for (const call of [...calls].slice(0, MOST_CALLS)) {
      if (call === null) continue;
      this.addSignals(statement.all({ call, limit: MOST_OF_ONE + 1 }) as StorySignal[], MOST_OF_ONE);
    }
  }

  /** All that happened in the span, the newest first where it is too much. */
  addSpan(): void {
    const { span, db, bounds } = this;
    const signals = { ...span, ...idRange(db, 'signal', span), limit: bounds.signals + 1 };
    this.addSignals(db.prepare(SIGNALS_OF_SPAN).all(signals) as StorySignal[], bounds.signals);
    const lives = db
      .prepare(LIVES_OF_SPAN)
      .pluck()
      .all({ ...span, limit: bounds.lives + 1 }) as number[];
    for (const id of lives) this.addLife(id);
    const execs = { ...span, ...idRange(db, 'exec', span), limit: bounds.execs + 1 };
    this.addExecs(db.prepare(EXECS_OF_SPAN).all(execs) as StoryExec[], bounds.execs);
    this.addAncestors();
    for (const id of this.ids) {
      for (const oom of this.statements.ooms.all({ id }) as StoryOom[]) this.ooms.set(oom.id, oom);
    }
  }

  /** The parts of a story that do not depend on what it is about. */
  story({ recorded }: { recorded: Recorded }): Omit<Story, 'title' | 'subject' | 'notable' | 'verdicts'> {
    const { span } = this;
    const byTime = <T extends { time_us: number; id: number }>(rows: Map<number, T>): T[] =>
      [...rows.values()].sort((a, b) => a.time_us - b.time_us || a.id - b.id);
    return {
      host: recorded.host,
      span,
      recorded: { from: recorded.reach, to: recorded.to },
      lives: [...this.lives.values()].sort((a, b) => a.started_us - b.started_us || a.id - b.id),
      execs: byTime(this.execs),
      signals: byTime(this.signals),
      ooms: byTime(this.ooms).filter(({ time_us: time }) => time >= span.from && time <= span.to),
      gaps: readGaps(this.db, span, EVENTS).map(
        ({ kind, from, to, event, count, cause }): StoryGap => ({
          kind,
          event,
          count,
          cause,
          from: fromIsoTime(from),
          to: fromIsoTime(to),
        }),
      ),
      omitted: [...this.omitted],
    };
  }

  private addExecs(rows: readonly StoryExec[], most: number): void {
    for (const [i, row] of rows.entries()) {
      if (i === most || (this.execs.size >= this.bounds.execs && !this.execs.has(row.id))) {
        this.omit(`executions: only the newest ${most} are shown`);
        return;
      }
      this.addLife(row.process_id);
      this.execs.set(row.id, row);
    }
  }

  private addSignals(rows: readonly StorySignal[], most: number): void {
    for (const [i, row] of rows.entries()) {
      if (i === most || (this.signals.size >= this.bounds.signals && !this.signals.has(row.id))) {
        this.omit(`signals: only the newest ${most} are shown`);
        return;
      }
      for (const id of [row.sender_id, row.target_id]) if (id !== null) this.addLife(id);
      this.signals.set(row.id, row);
    }
  }
}

function endingOf(life: Omit<StoryLife, 'ending'>, isCoreDumped: boolean): string {
  if (life.exit_signal !== null)
    return `${signalName(life.exit_signal)}${isCoreDumped ? ', core dumped' : ''}`;
  if (life.exit_code !== null) return `exit ${life.exit_code}`;
  return life.unseen_end_us === null && life.ended_us === null ? 'runs on' : 'ended unseen';
}
