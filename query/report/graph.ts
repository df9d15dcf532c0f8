/** A story as nodes and edges: who forked whom, and who signalled whom. Crowds of alike siblings are one node. */

import { fit } from '../render/width.js';
import { type ArrowKind, placeSignals } from './arrows.js';
import { harmless } from './harmless.js';
import { layOut, type Row } from './layout.js';
import type { Story } from './model.js';

export interface GraphNode {
  /** Letters and digits. */
  id: string;
  lines: string[];
  kind: 'subject' | 'killed' | 'crowd' | 'plain';
}

export interface GraphEdge {
  from: string;
  to: string;
  kind: 'fork' | ArrowKind;
  /** Of a signal. */
  label: string;
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

const LONGEST = 60;

/** Texts in it are harmless for a terminal, not yet for the language that it is written in. */
export function graphOf(unsafe: Story): Graph {
  const story = harmless(unsafe);
  const layout = layOut(story);
  const nodes = layout.rows.map(
    (row, i): GraphNode => ({ id: `n${i}`, lines: linesOf(row), kind: kindOf(row) }),
  );
  const edges: GraphEdge[] = [];
  for (const [i, { lives }] of layout.rows.entries()) {
    const parent = lives[0]?.parent_id;
    const from = parent == null ? undefined : layout.rowOf.get(parent);
    if (from !== undefined && from !== i)
      edges.push({ from: `n${from}`, to: `n${i}`, kind: 'fork', label: '' });
  }
  const counted = new Map<string, GraphEdge & { name: string; count: number }>();
  for (const { signal, from, to, kind } of placeSignals(story, layout)) {
    if (from === null || to === null) continue;
    const name = signal.sig === 0 ? 'signal 0' : signal.signal;
    const fate = kind === 'refused' ? ` ${signal.outcome}` : '';
    const key = `${from} ${to} ${kind} ${name}${fate}`;
    const known = counted.get(key);
    const count = (known?.count ?? 0) + signal.count;
    const label = `${name}${fate}${count > 1 ? ` ×${count}` : ''}`;
    counted.set(key, { from: `n${from}`, to: `n${to}`, kind, label, name, count });
  }
  edges.push(...[...counted.values()].map(({ from, to, kind, label }) => ({ from, to, kind, label })));
  return { nodes, edges };
}

function linesOf({ label, detail, lives }: Row): string[] {
  const ending = lives.length === 1 ? (lives[0]?.ending ?? '') : '';
  return [label, fit(detail, LONGEST), ending].filter(line => line !== '');
}

function kindOf({ lives, isSubject }: Row): GraphNode['kind'] {
  if (isSubject) return 'subject';
  if (lives.length > 1) return 'crowd';
  return lives[0]?.exit_signal == null ? 'plain' : 'killed';
}
