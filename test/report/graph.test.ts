/** Graphs are read back by the rules of their languages, whatever names the processes chose. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderDot } from '../../query/render/dot.js';
import { renderMermaid } from '../../query/render/mermaid.js';
import { type Graph, graphOf } from '../../query/report/graph.js';
import type { Story } from '../../query/report/model.js';
import { anyStory, HOSTILE, lifeOf, signalOf, storyOf } from './stories.js';

const NO_DOT = spawnSync('dot', ['-V']).status !== 0 && 'no dot: apt-get install graphviz';

function written(render: (graph: Graph, write: (text: string) => void) => void, graph: Graph): string {
  let text = '';
  render(graph, part => {
    text += part;
  });
  return text;
}

/** A strict reader of the part of DOT that is written: the labels of its statements, or nothing for what is not DOT. */
function readDot(text: string): { nodes: string[]; edges: number } | undefined {
  const string = String.raw`"(?:[^"\\\n]|\\[^\n])*"`;
  const attributes = String.raw`\[(?:\w+=(?:${string}|\w+)(?:, )?)+\]`;
  const lines = text.trimEnd().split('\n');
  if (lines[0] !== 'digraph snooprec {' || lines.at(-1) !== '}') return undefined;
  const nodes: string[] = [];
  let edges = 0;
  for (const line of lines.slice(1, -1)) {
    const node = new RegExp(`^  n\\d+ \\[label=(${string})(?:, \\w+=(?:${string}|\\w+))*\\];$`, 'u').exec(
      line,
    );
    if (node !== null) nodes.push(node[1] ?? '');
    else if (new RegExp(`^  n\\d+ -> n\\d+ ${attributes};$`, 'u').test(line)) edges++;
    else if (!new RegExp(`^  (?:rankdir=LR|node ${attributes}|edge ${attributes});$`).test(line))
      return undefined;
  }
  return { nodes, edges };
}

/** The same for Mermaid: a text between quotation marks may hold no sign that means anything. */
function readMermaid(text: string): { nodes: number; edges: number } | undefined {
  const words = String.raw`"(?:[\p{L}\p{N} .,:/+×→-]|#\d+;|<br/>)*"`;
  const lines = text.trimEnd().split('\n');
  if (lines[0] !== 'flowchart LR') return undefined;
  let nodes = 0;
  let edges = 0;
  for (const line of lines.slice(1)) {
    if (new RegExp(`^  n\\d+\\[${words}\\]:::[a-z]+$`, 'u').test(line)) nodes++;
    else if (
      new RegExp(`^  n\\d+ (?:-->|==>|-\\.->|-\\.-x|-\\.-o)(?:\\|${words}\\|)? n\\d+$`, 'u').test(line)
    )
      edges++;
    else if (!/^ {2}classDef [a-z]+ [a-z0-9:#,; -]+$/.test(line)) return undefined;
  }
  return { nodes, edges };
}

test('DOT and Mermaid of any story are read back with all their nodes and edges', () => {
  fc.assert(
    fc.property(anyStory, story => {
      const graph = graphOf(story);
      const dot = written(renderDot, graph);
      const read = readDot(dot);
      assert.equal(read?.nodes.length, graph.nodes.length, dot);
      assert.equal(read?.edges, graph.edges.length);
      const mermaid = written(renderMermaid, graph);
      assert.deepEqual(
        readMermaid(mermaid),
        { nodes: graph.nodes.length, edges: graph.edges.length },
        mermaid,
      );
    }),
    { numRuns: 200 },
  );
});

const HOSTILES: Story = storyOf({
  lives: HOSTILE.map((text, i) =>
    lifeOf(i + 1, { parent_id: i === 0 ? null : 1, comm: text, cmdline: text, ending: text }),
  ),
  signals: HOSTILE.map((text, i) => signalOf(i + 1, { sender_id: 1, target_id: i + 1, signal: text })),
});

test('graphviz draws hostile names as text', { skip: NO_DOT }, () => {
  const dot = written(renderDot, graphOf(HOSTILES));
  const { status, stdout, stderr } = spawnSync('dot', ['-Tsvg'], { input: dot, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  assert.equal([...stdout.matchAll(/class="node"/g)].length, HOSTILE.length);
  assert.doesNotMatch(stdout, /<script|<img|onload=[^&]*>/);
  assert.match(stdout, /&lt;\/script&gt;/);
  // \N would have become the name of the node.
  assert.match(stdout, /\\N\\G\\L/);
});

test('a crowd of alike children is one node with their number', () => {
  const children = Array.from({ length: 23 }, (_, i) => lifeOf(i + 2, { parent_id: 1, exe: '/bin/true' }));
  const graph = graphOf(storyOf({ lives: [lifeOf(1), ...children] }));
  assert.deepEqual(
    graph.nodes.map(({ lines }) => lines[0]),
    ['p1 1001', 'true ×23'],
  );
  assert.equal(graph.edges.length, 1);
});

test('a signal that was sent again is one edge with a count', () => {
  const signals = Array.from({ length: 23 }, (_, i) => signalOf(i + 1, { sender_id: 1, target_id: 2 }));
  const graph = graphOf(storyOf({ lives: [lifeOf(1), lifeOf(2)], signals }));
  assert.deepEqual(
    graph.edges.map(({ label }) => label),
    ['SIGTERM ×23'],
  );
});
