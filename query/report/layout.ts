/**
 * Puts the lives of a story into rows: a family tree in the order of birth, with crowds of alike siblings in one row. Knows
 * times and rows, no pixels.
 */

import { endOf, nameOf, type Span, type Story, type StoryLife } from './model.js';

/** One row of the picture: a process, or a crowd of siblings that ran the same file. */
export interface Row {
  /** `l12` for the process with id 12; `c12:/bin/true` for a crowd of its children. */
  key: string;
  label: string;
  /** What it ran. */
  detail: string;
  depth: number;
  /** Oldest first; one, unless it is a crowd. */
  lives: StoryLife[];
  isSubject: boolean;
  /** It is there only because the subject descends from it. */
  isAncestor: boolean;
  /** A crowd that is shown one by one has its own row as a heading. */
  isOpen: boolean;
}

export interface Layout {
  rows: Row[];
  /** Row of each life; of one in a closed crowd, the crowd's. */
  rowOf: Map<number, number>;
}

/** Alike siblings beyond this number are a crowd. */
const CROWD = 8;

/** The rows; `open` holds the keys of crowds that are to be shown one by one. */
export function layOut(story: Story, open: ReadonlySet<string> = new Set()): Layout {
  const known = new Set(story.lives.map(({ id }) => id));
  const children = new Map<number | null, StoryLife[]>();
  for (const life of story.lives) {
    const parent = life.parent_id !== null && known.has(life.parent_id) ? life.parent_id : null;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [life]);
    else siblings.push(life);
  }
  const notable = withAncestors(story.lives, [
    ...story.notable,
    ...(story.subject === null ? [] : [story.subject]),
  ]);
  const ancestors = new Set(story.subject === null ? [] : withAncestors(story.lives, [story.subject]));
  if (story.subject !== null) ancestors.delete(story.subject);
  const layout: Layout = { rows: [], rowOf: new Map() };
  const place = (life: StoryLife, depth: number): void => {
    layout.rowOf.set(life.id, layout.rows.length);
    layout.rows.push({
      key: `l${life.id}`,
      label: nameOf(life),
      detail: life.cmdline ?? life.exe ?? '',
      depth,
      lives: [life],
      isSubject: life.id === story.subject,
      isAncestor: ancestors.has(life.id),
      isOpen: false,
    });
  };
  const hide = (life: StoryLife, row: number): void => {
    for (const next of below(life, children)) layout.rowOf.set(next.id, row);
  };
  const walk = (parent: number | null, depth: number): void => {
    for (const { key, binary, lives } of crowds(parent, children.get(parent) ?? [], notable)) {
      if (key === null) {
        for (const life of lives) {
          place(life, depth);
          // Depth is counted from the subject on: long lines of ancestors would leave no room.
          walk(life.id, ancestors.has(life.id) ? depth : depth + 1);
        }
        continue;
      }
      const row = layout.rows.length;
      const isOpen = open.has(key);
      const hidden = lives.reduce((sum, life) => sum + below(life, children).length - 1, 0);
      layout.rows.push({
        key,
        label: `${binary} ×${lives.length}`,
        detail: hidden === 0 ? '' : `and ${hidden} below them`,
        depth,
        lives,
        isSubject: false,
        isAncestor: false,
        isOpen,
      });
      for (const life of lives) {
        if (!isOpen) hide(life, row);
        else {
          place(life, depth + 1);
          walk(life.id, depth + 2);
        }
      }
    }
  };
  walk(null, 0);
  return layout;
}

/** A life and all its descendants in the story. */
function below(life: StoryLife, children: ReadonlyMap<number | null, StoryLife[]>): StoryLife[] {
  const family = [life];
  for (const next of family) family.push(...(children.get(next.id) ?? []));
  return family;
}

/** These lives and whoever stands above them. */
function withAncestors(lives: readonly StoryLife[], ids: readonly number[]): ReadonlySet<number> {
  const byId = new Map(lives.map(life => [life.id, life]));
  const seen = new Set<number>();
  for (const id of ids) {
    for (let life = byId.get(id); life !== undefined && !seen.has(life.id); ) {
      seen.add(life.id);
      life = life.parent_id === null ? undefined : byId.get(life.parent_id);
    }
  }
  return seen;
}

interface Crowd {
  /** null: these are shown one by one. */
  key: string | null;
  binary: string;
  lives: StoryLife[];
}

/** Siblings in the order of their births; alike ones together where there are many. */
function crowds(
  parent: number | null,
  siblings: readonly StoryLife[],
  notable: ReadonlySet<number>,
): Crowd[] {
  const alike = new Map<string, StoryLife[]>();
  for (const life of siblings) {
    if (notable.has(life.id)) continue;
    const binary = binaryOf(life);
    const found = alike.get(binary);
    if (found === undefined) alike.set(binary, [life]);
    else found.push(life);
  }
  const result: Crowd[] = [];
  const told = new Set<string>();
  for (const life of siblings) {
    const binary = binaryOf(life);
    const lives = notable.has(life.id) ? [] : (alike.get(binary) ?? []);
    if (lives.length <= CROWD) result.push({ key: null, binary, lives: [life] });
    else if (!told.has(binary)) {
      told.add(binary);
      result.push({ key: `c${parent ?? 0}:${binary}`, binary, lives });
    }
  }
  return result;
}

/** What a crowd has in common: the last part of the file's path, or the name. */
function binaryOf({ exe, comm }: StoryLife): string {
  return exe?.slice(exe.lastIndexOf('/') + 1) || comm || '?';
}

/** From the first birth to the last end in a row. */
export function extentOf(row: Row, span: Span): Span {
  return {
    from: Math.min(...row.lives.map(life => life.started_us)),
    to: Math.max(...row.lives.map(life => endOf(life, span))),
  };
}
