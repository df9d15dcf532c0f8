import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { WIRE_BYTES } from '../../bpf/wire.gen.js';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { tempDirectory } from './temp.js';

const BPF = join(PACKAGE_ROOT, 'bpf');
const OBJECT = join(PACKAGE_ROOT, 'dist', 'snooprec.bpf.o');
const COMPILER = ['gcc', 'clang', 'cc'].find(command => works(command, '--version'));
const BPFTOOL = findBpftool();

function works(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function findBpftool(): string | undefined {
  const build = spawnSync(process.execPath, [join(PACKAGE_ROOT, 'setup', 'build.mjs'), '--bpftool'], {
    encoding: 'utf8',
  });
  return build.status === 0 ? build.stdout.trim() : undefined;
}

/** What wire.gen.ts says: struct → field path → offset. */
function generated(): Map<string, Map<string, number>> {
  const text = readFileSync(join(BPF, 'wire.gen.ts'), 'utf8');
  const structs = new Map<string, Map<string, number>>();
  for (const [, name, body] of text.matchAll(
    /in struct (\w+)\. \*\/\nexport const enum \w+ \{\n([^}]*)\}/g,
  )) {
    const fields = [...(body as string).matchAll(/^ {2}(\w+) = (\d+),/gm)].map((m): [string, number] => [
      m[1] as string,
      Number(m[2]),
    ]);
    structs.set(name as string, new Map(fields));
  }
  return structs;
}

/** h_key_pid as C writes it: nested structs are laid flat in wire.gen.ts. */
function cField(flat: string): string {
  return flat
    .replace(/^h_/, 'h.')
    .replace(/(^|\.)(key|target|parent|victim)_(start|pid|tid)$/, '$1$2.$3')
    .replace(/^info_/, 'info.');
}

test('a C compiler lays the structs out as wire.gen.ts says', {
  skip: COMPILER === undefined && 'no C compiler',
}, t => {
  const header = readFileSync(join(BPF, 'wire.h'), 'utf8');
  const lines: string[] = [];
  const expected: string[] = [];
  for (const [struct, fields] of generated()) {
    if (!new RegExp(`^struct ${struct} \\{`, 'm').test(header)) continue; // of snoop.bpf.h
    for (const [field, at] of fields) {
      const value =
        field === 'bytes' ? `sizeof(struct ${struct})` : `offsetof(struct ${struct}, ${cField(field)})`;
      lines.push(`  printf("${struct}.${field} %zu\\n", ${value});`);
      expected.push(`${struct}.${field} ${at}`);
    }
  }
  assert.ok(expected.length > 100);
  const directory = tempDirectory(t);
  const source = [
    '#include <linux/types.h>',
    '#include <stddef.h>',
    '#include <stdio.h>',
    '#include "wire.h"',
    'int main(void) {',
  ];
  writeFileSync(join(directory, 'wire.c'), [...source, ...lines, '}', ''].join('\n'));
  const program = join(directory, 'wire');
  execFileSync(COMPILER as string, ['-I', BPF, join(directory, 'wire.c'), '-o', program], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  assert.deepEqual(execFileSync(program, { encoding: 'utf8' }).trim().split('\n'), expected);
});

test('the records of the wire are whole and 8-byte aligned', () => {
  for (const [struct, bytes] of Object.entries(WIRE_BYTES)) assert.equal(bytes % 8, 0, struct);
  for (const [struct, fields] of generated()) {
    if (!struct.startsWith('ev_')) continue;
    const data = fields.get('data');
    assert.ok(
      data === undefined || data === fields.get('bytes'),
      `${struct}: the variable part follows the fixed one`,
    );
  }
});

const missing = !existsSync(OBJECT)
  ? 'no dist/snooprec.bpf.o: run npm run build'
  : BPFTOOL === undefined
    ? 'no bpftool'
    : false;

test('wire.gen.ts is what the object says', { skip: missing }, () => {
  const { status, stderr } = spawnSync(process.execPath, [join(BPF, 'generate.mjs'), '--check'], {
    encoding: 'utf8',
    env: { ...process.env, BPFTOOL },
  });
  assert.equal(status, 0, stderr);
});
