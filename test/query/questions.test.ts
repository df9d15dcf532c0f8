/** Laws of the list of questions: what is missing is printed by name. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { migrate, viewsSql } from '../../migrations/migrate.js';
import { statementsOf } from '../../query/answer.js';
import { CHILDREN } from '../../query/children.js';
import { buildProgram } from '../../query/cli.js';
import { DELIVERIES } from '../../query/deliveries.js';
import { FATAL_SIGNALS, NEWEST_SIGNAL, OOM, SIGNALS, STOPS } from '../../query/facts.js';
import { ENDED_CHILDREN, SIGNALLED } from '../../query/genealogy.js';
import { processIo } from '../../query/io.js';
import { EXEC } from '../../query/kin.js';
import { KINDS } from '../../query/kinds.js';
import { BY_GROUP, BY_ID, BY_NAME, BY_NAME_LATELY, BY_PID, COUNT_PID } from '../../query/lives.js';
import { LATELY, SOURCES } from '../../query/news.js';
import { bind } from '../../query/parameters.js';
import { ledger } from '../../query/queries/coverage.js';
import { questions } from '../../query/queries/index.js';
import { DIED_OF, killedByTable } from '../../query/queries/killed-by.js';
import { BY_PARENT, parentsTable } from '../../query/queries/parents.js';
import { documentedColumns } from '../../query/queries/schema.js';
import { STATEMENTS as TIMELINE } from '../../query/queries/timeline.js';
import { RANKINGS, rankingSql } from '../../query/queries/top.js';
import type { ListQuestion } from '../../query/query.js';
import { RECENT_EXECS } from '../../query/recent-execs.js';
import { openRecording } from '../../query/segments.js';
import { DEATH, LAST_DEATHS } from '../../query/state.js';
import { writeFixture } from './fixture.js';
import { ask } from './io.js';
import { scansOf } from './plan.js';
import { scratchDirectory } from './scratch.js';
import { MANY_BOUNDARIES, split } from './split.js';

const DIR = scratchDirectory();
process.chdir(DIR); // some examples make files
const WHOLE = join(DIR, 'whole.db');
writeFixture(WHOLE);
process.chdir(DIR); // where examples make their files

const lists = [
  ...questions.filter((question): question is ListQuestion => 'sql' in question),
  killedByTable,
  parentsTable,
  ledger,
];

/** Statements of the questions that need more than one; each reads views, and finds its rows through an index. */
const STATEMENTS: Record<string, string> = {
  BY_ID,
  BY_PID,
  BY_NAME_LATELY,
  COUNT_PID,
  NEWEST_SIGNAL,
  SIGNALS,
  FATAL_SIGNALS,
  OOM,
  EXEC,
  DELIVERIES,
  STOPS,
  ENDED_CHILDREN,
  SIGNALLED,
  RECENT_EXECS,
  DIED_OF,
  LAST_DEATHS,
  DEATH,
  CHILDREN,
  LATELY,
  ...Object.fromEntries(TIMELINE.map((sql, i) => [`timeline ${i}`, sql])),
  ...Object.fromEntries(SOURCES.map(({ sql, order }, i) => [`tail ${i}`, `${sql} ORDER BY ${order}`])),
  ...Object.fromEntries(
    SOURCES.map(({ sql, order }, i) => [`tail ${i}, newest`, `${sql} ORDER BY ${order} DESC LIMIT 9`]),
  ),
};

/** Of those that read a span of ids, or of time; without a span that is all. */
const SPANS: Record<string, string> = {
  'parents --tree': BY_PARENT,
  ...Object.fromEntries(
    Object.entries(RANKINGS)
      .filter(([, ranking]) => 'grows' in ranking)
      .map(([by, ranking]) => [`top --by ${by}`, rankingSql(ranking)]),
  ),
  ...Object.fromEntries(
    lists
      .filter(({ name }) => name !== 'coverage')
      .map(question => [question.name, statementsOf(question, {}).backward]),
  ),
};
const VIEWS = [...viewsSql().matchAll(/^CREATE VIEW (\w+)/gm)].map(match => match[1] ?? '');

function emptyRecording(): Database.Database {
  const db = new Database(':memory:');
  migrate(db);
  return db;
}

test('names are unique, and each file of queries/ is in the list', () => {
  const names = questions.map(question => question.name);
  assert.deepEqual([...new Set(names)], names);
  const files = readdirSync(join(PACKAGE_ROOT, 'query', 'queries')).map(file => file.replace(/\.ts$/, ''));
  assert.deepEqual([...names].sort(), files.filter(file => file !== 'index').sort());
});

for (const question of questions) {
  test(`${question.name} is documented`, () => {
    assert.match(question.summary, /^[^A-Z].{10,60}$/, 'summary: one line, no capital');
    assert.match(question.why, /^[A-Z].{40,}\.$/, 'why: sentences');
    assert.ok(question.examples.length >= 2, 'examples: two or more');
    for (const { command, doc } of question.examples) {
      assert.ok(command.startsWith(`snoopq ${question.name}`), command);
      assert.ok(doc.length > 5, command);
    }
    for (const { flags, name, doc } of question.options) {
      const long = /--([a-z-]+)/.exec(flags)?.[1] ?? '';
      assert.equal(
        long.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
        name,
        flags,
      );
      assert.ok(doc.length > 5, flags);
    }
  });
}

for (const question of questions) {
  for (const { command } of question.examples) {
    test(`the example works: ${command}`, async () => {
      const [, ...words] = wordsOf(command);
      const file = join(DIR, 'cursor');
      const argv = words.map(word => (word === '/var/lib/shipper/cursor' ? file : word));
      const said = await ask(WHOLE, argv, { interruption: () => AbortSignal.abort() });
      const isEndless = argv.includes('-f');
      assert.ok(
        isEndless ? said.status === 130 : [0, 1, 4].includes(said.status),
        `${said.status} ${said.err}`,
      );
      assert.doesNotMatch(said.err, /^hint: see 'snoopq --help'/m);
      if (argv.includes('--json')) JSON.parse(said.out);
    });
  }
}

/** The words of a command line, as a shell would read those of the examples. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|([^\s'"]+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
}

test('no option of a question hides a common one', () => {
  const program = buildProgram(processIo(), () => {});
  for (const command of program.commands) {
    const flags = command.options.map(option => option.long);
    assert.deepEqual([...new Set(flags)], flags, command.name());
  }
});

for (const question of lists) {
  test(`${question.name}: each statement prepares, reads views only, and gives the declared columns`, () => {
    const db = emptyRecording();
    const parameters = [...question.args, ...question.options].map(parameter =>
      bind(
        { ...parameter, kind: parameter.kind === 'flag' ? 'flag' : parameter.kind },
        undefined,
        processIo(),
      ),
    );
    const given = Object.assign(
      { since: null, until: null, limit: 1, first_id: 0, last_id: 1, first_us: 0, last_us: 1 },
      ...parameters,
    ) as Record<string, null>;
    const variants = [undefined, ...(question.variants ?? []).map(variant => variant.given)];
    for (const variant of variants) {
      const { forward, backward } = statementsOf(
        question,
        variant === undefined ? given : { ...given, [variant]: 1 },
      );
      for (const sql of [forward, backward]) {
        const statement = db.prepare(sql);
        assert.deepEqual(
          statement.columns().map(column => column.name),
          Object.keys(question.columns),
        );
        assert.deepEqual(statement.all(given), []);
      }
      const sources = [...forward.matchAll(/\b(?:FROM|JOIN)\s+(\w+)/g)].map(match => match[1] ?? '');
      const parts = [...forward.matchAll(/(\w+) AS MATERIALIZED/g)].map(match => match[1] ?? '');
      assert.deepEqual(
        sources.filter(source => !VIEWS.includes(source) && !parts.includes(source)),
        [],
      );
    }
    assert.ok(question.order.by in question.columns);
    assert.deepEqual(
      (question.shown ?? []).filter(column => !(column in question.columns)),
      [],
    );
    assert.ok(Object.values(question.columns).every(kind => KINDS.includes(kind)));
  });
}

const RECORDINGS: Record<string, Database.Database> = {
  'one file': emptyRecording(),
  'ten segments': openRecording(split(WHOLE, join(DIR, 'ten.db'), MANY_BOUNDARIES)).db,
};

for (const [files, db] of Object.entries(RECORDINGS)) {
  for (const [name, sql] of Object.entries({ ...STATEMENTS, ...SPANS })) {
    test(`${name} reads no table of events from end to end, in ${files}`, () => {
      assert.deepEqual(scansOf(db, sql), []);
    });
  }

  for (const { name, variants = [], ...question } of lists) {
    for (const { given } of variants) {
      test(`${name} finds ${given} through an index, in ${files}`, () => {
        const sql = statementsOf({ name, variants, ...question }, { [given]: 1 }).forward;
        assert.deepEqual(scansOf(db, sql), []);
      });
    }
  }
}

test('the plans of the tests would show a table that is read from end to end', () => {
  assert.deepEqual(scansOf(emptyRecording(), 'SELECT id FROM signals WHERE sender_uid = :uid'), ['SCAN s']);
  assert.deepEqual(scansOf(emptyRecording(), 'SELECT id FROM processes WHERE uid = :uid'), ['SCAN p']);
});

test('a name is looked for among texts and processes alone', () => {
  for (const sql of [BY_NAME, BY_GROUP]) assert.deepEqual(scansOf(emptyRecording(), sql), ['SCAN p']);
});

test('every statement of a ranking prepares, and its first columns are what is ranked and by what', () => {
  const db = emptyRecording();
  for (const [by, ranking] of Object.entries(RANKINGS)) {
    const statement = db.prepare(rankingSql(ranking));
    assert.deepEqual(
      statement.columns().map(column => column.name),
      Object.keys(ranking.columns),
      by,
    );
  }
});

test('every column of every view is documented, and schema lists them all', () => {
  const db = emptyRecording();
  const documented = documentedColumns(viewsSql());
  for (const view of VIEWS) {
    const columns = db
      .prepare(`SELECT * FROM ${view}`)
      .columns()
      .map(column => column.name);
    assert.deepEqual(
      documented.filter(row => row.view === view && row.column !== null).map(row => row.column),
      columns,
      view,
    );
    assert.ok(
      documented.some(row => row.view === view && row.column === null),
      view,
    );
  }
});
