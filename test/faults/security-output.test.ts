/** F32, F47: whatever a process wrote into its names and arguments, no format lets it act on who reads the answer. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import type { Io } from '../../query/io.js';
import type { Columns, Row } from '../../query/kinds.js';
import { questions } from '../../query/queries/index.js';
import { type Format, render } from '../../query/render/index.js';
import { safeLine, shellLine } from '../../query/shell.js';
import { writeFixture } from '../query/fixture.js';
import { ask } from '../query/io.js';

/** Controls, formats, separators, lone surrogates, and what is shown in another order or not at all. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/u;
const NASTY = [
  '\x1b[2J',
  '\x1b]52;c;ZXZpbA==\x07',
  '\x9b31m',
  '\r',
  '\n',
  '\t',
  '\x7f',
  '\u202e',
  '\u2066',
  '\u200b',
  '\ufeff',
  '\u{e0041}',
  '=cmd|',
  '+1',
  '-1',
  '@SUM(A1)',
  "'",
  '"',
  ',',
  ';',
  '\\',
  '\\x1b',
  '</script>',
  '<!--',
  '$(id)',
  '`id`',
  '\ud800',
  'ü',
  '名',
  '🙂',
  ' ',
];
const nasty = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .array(fc.oneof(fc.constantFrom(...NASTY), fc.string({ maxLength: 3 })), { maxLength: 5 })
      .map(parts => parts.join('')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
);
const FORMATS: Format[] = ['table', 'plain', 'tsv', 'csv', 'ndjson', 'json'];
const COLUMNS: Columns = {
  name: 'name',
  path: 'path',
  cmdline: 'cmdline',
  args: 'args',
  text: 'text',
  any: 'any',
};

/** Fails when text holds anything but what the format itself puts between values. */
function assertSafe(text: string, format: Format, what: string): void {
  const own = format === 'csv' ? /\r\n/g : format === 'plain' || format === 'tsv' ? /[\t\n]/g : /\n/g;
  const found = UNSAFE.exec(text.replace(own, ' '));
  if (found)
    assert.fail(
      `${what} ${format}: ${JSON.stringify(text.slice(Math.max(0, found.index - 30), found.index + 30))}`,
    );
}

/** The cells of RFC 4180; throws where it is none. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  for (let at = 0; at < text.length; ) {
    const row: string[] = [];
    for (;;) {
      const match = /"((?:[^"]|"")*)"|([^",\r\n]*)/y;
      match.lastIndex = at;
      const [all = '', quoted, bare = ''] = match.exec(text) ?? assert.fail('no CSV');
      row.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
      at += all.length;
      if (text[at] === ',') at++;
      else if (text.startsWith('\r\n', at)) {
        at += 2;
        break;
      } else assert.fail(`no CSV at ${at}: ${JSON.stringify(text.slice(at, at + 20))}`);
    }
    rows.push(row);
  }
  return rows;
}

function assertFormat(out: string, format: Format, what: string): void {
  assertSafe(out, format, what);
  if (format === 'json') JSON.parse(out);
  if (format === 'ndjson') for (const line of out.split('\n').filter(Boolean)) JSON.parse(line);
  if (format !== 'csv') return;
  const [head, ...rows] = parseCsv(out);
  for (const row of rows) {
    assert.equal(row.length, head?.length, what);
    for (const cell of row)
      assert.ok(!/^[\s]*[=+@\t\r]|^\s*-(?![\d.])/.test(cell), `a formula: ${JSON.stringify(cell)}`);
  }
}

function written(rows: Row[], format: Format): string {
  let out = '';
  const io = {
    out: (text: string) => {
      out += text;
    },
    isTerminal: format === 'table',
    hasColor: false,
    width: 100,
  } as unknown as Io;
  render({ columns: COLUMNS, rows, gaps: [], sought: 'rows' }, format, { utc: true }, io);
  return out;
}

test('F32, F47: 100,000 hostile texts through every format: nothing acts, JSON gives them back, CSV has no formula', () => {
  const names = Object.keys(COLUMNS);
  const row = fc
    .tuple(...names.map(() => nasty))
    .map(values => Object.fromEntries(names.map((name, i) => [name, values[i] as string])));
  fc.assert(
    fc.property(fc.array(row, { minLength: 85, maxLength: 85 }), rows => {
      for (const format of FORMATS) assertFormat(written(rows, format), format, 'rows');
      const told = JSON.parse(written(rows, 'json')) as Row[];
      told.forEach((one, i) => {
        assert.equal(one['name'], rows[i]?.['name']);
        assert.equal(one['text'], rows[i]?.['text']);
      });
    }),
    { numRuns: 200 }, // of 85 rows with 6 texts: 102,000
  );
});

test('arguments are printed so that bash reads back the same bytes', () => {
  const args = fc.array(
    nasty.map(text => Buffer.from(text.replaceAll('\0', '')).toString('utf8')),
    { minLength: 20, maxLength: 20 },
  );
  fc.assert(
    fc.property(args, given => {
      const line = safeLine(shellLine(given));
      assertSafe(line, 'plain', 'a line');
      const { stdout, stderr } = spawnSync('bash', ['-c', `printf '%s\\0' ${line}`]);
      assert.equal(stderr.toString(), '');
      assert.deepEqual(stdout, Buffer.from(given.map(arg => `${arg}\0`).join('')));
    }),
    { numRuns: 60 },
  );
});

/** What these make has forms of its own, and tests of its own: test/report. */
const FILES = ['report', 'export', 'completion'];

test('every question in every format stays harmless about a recording that is full of hostile texts', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'snoopq-output-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'x.db');
  for (let round = 0; round < 3; round++) {
    rmSync(path, { force: true });
    writeFixture(path);
    const db = new Database(path);
    const texts = fc.sample(nasty, { numRuns: 4000, seed: round }).map(text => text.replaceAll('\0', ''));
    let next = 0;
    const any = () => texts[next++ % texts.length] as string;
    db.function('hostile', { deterministic: false }, any);
    db.function('hostile_args', { deterministic: false }, () => JSON.stringify([any(), any(), any()]));
    db.exec(`UPDATE comm SET comm = substr(hostile(), 1, 15); UPDATE path SET path = '/' || hostile(); UPDATE argv SET args = hostile_args();
      UPDATE cgroup SET path = '/' || hostile(), unit = hostile(), container = hostile(); UPDATE user_name SET name = hostile();
      UPDATE recording SET host = hostile(), kernel = hostile(), scope = hostile(); UPDATE coverage SET cause = hostile()`);
    const pids = db
      .prepare('SELECT DISTINCT pid FROM process ORDER BY random() LIMIT 4')
      .pluck()
      .all()
      .map(String);
    db.close();
    for (const question of questions.filter(({ name }) => !FILES.includes(name))) {
      for (const format of FORMATS) {
        const words = question.args.some(({ kind }) => kind === 'process')
          ? pids
          : [
              question.name === 'sql'
                ? 'SELECT * FROM execs'
                : question.args.some(({ isOptional }) => !isOptional)
                  ? 'sh'
                  : null,
            ];
        for (const word of words) {
          const argv = [
            question.name,
            ...(word === null ? [] : [word]),
            ...(format === 'table' ? [] : [`--${format}`]),
          ];
          const { status, out, err } = await ask(path, argv, { isTerminal: format === 'table' });
          assert.ok([0, 1].includes(status), `${argv.join(' ')}: ${err}`);
          if (status === 0) assertFormat(out, format, argv.join(' '));
          assertSafe(err, 'table', `${argv.join(' ')} on stderr`);
        }
      }
    }
  }
});
