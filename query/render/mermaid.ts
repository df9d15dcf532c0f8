/** A graph as a Mermaid flowchart, which many wikis and forges draw where it stands in a text. */

import type { Graph, GraphEdge, GraphNode } from '../report/graph.js';

const CLASSES: Record<GraphNode['kind'], string> = {
  plain: 'fill:#eef4f8,stroke:#8a8a8a,color:#1d1f24',
  subject: 'fill:#0072b2,stroke:#0072b2,color:#ffffff',
  killed: 'fill:#eef4f8,stroke:#c14a00,stroke-width:3px,color:#1d1f24',
  crowd: 'fill:#eef4f8,stroke:#8a8a8a,stroke-dasharray:4 3,color:#1d1f24',
};
const ARROWS: Record<GraphEdge['kind'], string> = {
  fork: '-->',
  fatal: '==>',
  sent: '-.->',
  refused: '-.-x',
  probe: '-.-o',
};

export function renderMermaid({ nodes, edges }: Graph, write: (text: string) => void): void {
  write('flowchart LR\n');
  for (const { id, lines, kind } of nodes) write(`  ${id}["${lines.map(encode).join('<br/>')}"]:::${kind}\n`);
  for (const { from, to, kind, label } of edges)
    write(`  ${from} ${ARROWS[kind]}${label === '' ? '' : `|"${encode(label)}"|`} ${to}\n`);
  for (const [kind, style] of Object.entries(CLASSES)) write(`  classDef ${kind} ${style}\n`);
}

/** Whatever could mean something to Mermaid, to Markdown or to HTML stands as its number: `#34;` is a quotation mark. */
function encode(text: string): string {
  return text.replace(/[^\p{L}\p{N} .,:/+×→-]/gu, letter => `#${letter.codePointAt(0)};`);
}
