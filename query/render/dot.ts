/** A graph in the DOT language of Graphviz: `dot -Tsvg`. */

import type { Graph, GraphEdge, GraphNode } from '../report/graph.js';

const NODES: Record<GraphNode['kind'], string> = {
  plain: '',
  subject: ', style="filled,rounded", fillcolor="#0072b2", fontcolor="#ffffff"',
  killed: ', color="#c14a00", penwidth=2',
  crowd: ', peripheries=2',
};
const EDGES: Record<GraphEdge['kind'], string> = {
  fork: 'color="#8a8a8a"',
  fatal: 'color="#c14a00", fontcolor="#c14a00", penwidth=2, constraint=false',
  sent: 'color="#22688f", fontcolor="#22688f", constraint=false',
  refused: 'color="#5d616b", fontcolor="#5d616b", style=dashed, constraint=false',
  probe: 'color="#5d616b", fontcolor="#5d616b", style=dotted, constraint=false',
};

export function renderDot({ nodes, edges }: Graph, write: (text: string) => void): void {
  write('digraph snooprec {\n  rankdir=LR;\n');
  write('  node [shape=box, style=rounded, fontname="sans-serif", fontsize=11];\n');
  write('  edge [fontname="sans-serif", fontsize=10];\n');
  for (const { id, lines, kind } of nodes) write(`  ${id} [label=${quote(lines)}${NODES[kind]}];\n`);
  for (const { from, to, kind, label } of edges) {
    const shown = label === '' ? '' : `label=${quote([label])}, `;
    write(`  ${from} -> ${to} [${shown}${EDGES[kind]}];\n`);
  }
  write('}\n');
}

// In a quoted string only \" is an escape, but a label knows more of them (\N is the name of the node), and entities.
function quote(lines: readonly string[]): string {
  const escaped = lines.map(line =>
    line.replaceAll('&', '&amp;').replaceAll('\\', '\\\\').replaceAll('"', '\\"'),
  );
  return `"${escaped.join('\\n')}"`;
}
