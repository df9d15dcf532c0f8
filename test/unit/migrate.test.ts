import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { APPLICATION_ID } from '../../migrations/database.js';
import { migrate, migrations, schemaVersion, viewsSql } from '../../migrations/migrate.js';
import { tempDirectory } from './temp.js';

function fresh(): Database.Database {
  const db = new Database(':memory:');
  migrate(db);
  return db;
}

/** The whole schema as text, and the contents of small tables. */
function schemaOf(db: Database.Database): unknown[] {
  return db.prepare('SELECT type, name, sql FROM sqlite_master ORDER BY type, name').all();
}

test('migrations are numbered from 1 without a gap, and each says why', () => {
  const all = migrations();
  assert.deepEqual(
    all.map(({ number }) => number),
    all.map((_, i) => i + 1),
  );
  for (const { name, sql } of all) assert.match(sql, /^-- \S/, `${name} begins with a reason`);
  assert.equal(schemaVersion(), all.length);
});

test('a new database says whose it is and how new', () => {
  const db = fresh();
  assert.equal(db.pragma('application_id', { simple: true }), APPLICATION_ID);
  assert.equal(db.pragma('user_version', { simple: true }), schemaVersion());
});

test('migrating twice changes nothing', t => {
  const path = join(tempDirectory(t), 'x.db');
  const db = new Database(path);
  t.after(() => db.close());
  migrate(db);
  db.prepare("INSERT INTO comm VALUES (1, 'bash', NULL)").run();
  const before = schemaOf(db);
  migrate(db);
  assert.deepEqual(schemaOf(db), before);
  assert.equal(db.prepare('SELECT count(*) FROM comm').pluck().get(), 1);
});

test('views whose text changed are made anew, and only they', () => {
  const db = fresh();
  const before = schemaOf(db);
  db.exec('DROP VIEW processes; CREATE VIEW processes AS SELECT 1 AS old; CREATE VIEW gone AS SELECT 2 AS x');
  db.exec("UPDATE meta SET value = 'hash of an older text' WHERE key = 'views'");
  migrate(db);
  assert.deepEqual(schemaOf(db), before);
});

test('views that are as they should be are left alone', () => {
  const db = fresh();
  db.exec('CREATE VIEW of_the_user AS SELECT 1 AS x');
  migrate(db);
  assert.equal(db.prepare('SELECT x FROM of_the_user').pluck().get(), 1);
});

test('a migration that fails leaves the database as it was', () => {
  const db = new Database(':memory:');
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.exec('CREATE TABLE signal_name (x)'); // in the way of 0002
  assert.throws(() => migrate(db));
  assert.equal(db.pragma('user_version', { simple: true }), 0);
  assert.deepEqual(db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all(), [
    'signal_name',
  ]);
});

test('every view can be read, and reads no column twice', () => {
  const db = fresh();
  const views = db.prepare("SELECT name FROM sqlite_master WHERE type = 'view'").pluck().all() as string[];
  assert.ok(views.length >= 8);
  for (const view of views) {
    const names = db
      .prepare(`SELECT * FROM ${view}`)
      .columns()
      .map(({ name }) => name);
    assert.equal(new Set(names).size, names.length, view);
  }
});

test('every view and every column of it is documented by a comment', () => {
  const undocumented: string[] = [];
  for (const line of viewsSql().split('\n')) {
    const isView = line.startsWith('CREATE VIEW');
    const isColumn = /\bAS \w+,?(\s|$)/.test(line) && !/^(FROM|LEFT|JOIN|WHERE)|^\s+FROM /.test(line);
    if ((isView || isColumn) && !/-- \S/.test(line)) undocumented.push(line.trim());
  }
  assert.deepEqual(undocumented, []);
});

test('the comments document exactly the columns that there are', () => {
  const db = fresh();
  for (const text of viewsSql()
    .split(/^CREATE VIEW /m)
    .slice(1)) {
    const view = /^\w+/.exec(text)?.[0] as string;
    const names = db
      .prepare(`SELECT * FROM ${view}`)
      .columns()
      .map(({ name }) => name);
    const documented = [...text.matchAll(/ AS (\w+),? +-- \S/g)].map(match => match[1]);
    assert.deepEqual(documented, names, view);
  }
});

/** DESIGN.md, section 5: the public contract. */
const CONTRACT: Record<string, string> = {
  processes:
    'id pid ns_pid started ended duration_ms comm exe cmdline cwd uid ppid parent_id parent_comm cgroup unit container ' +
    'exit_code exit_signal core_dumped origin',
  execs:
    'id time pid process_id ppid parent_comm parent_exe filename exe args cmdline args_truncated args_bytes cwd uid euid ' +
    'loginuid result',
  signals:
    'id time last_time count signal sig sender_id sender_pid sender_comm sender_uid target_id target_pid target_comm ' +
    'mechanism call_id outcome target_arg code',
  exits: 'process_id time pid comm cmdline exit_code exit_signal signal core_dumped duration_ms',
  kills:
    'time pid comm cmdline signal mechanism killer_id killer_pid killer_comm killer_cmdline killer_uid delay_ms confidence',
  oom_kills: 'time victim_id victim_pid victim_comm',
  coverages: 'kind from_time to_time count cause',
  recordings: 'id started ended seen stored folded lost malformed shed',
};

for (const [view, columns] of Object.entries(CONTRACT)) {
  test(`the view ${view} has the columns that were promised`, () => {
    const names = new Set(
      fresh()
        .prepare(`SELECT * FROM ${view}`)
        .columns()
        .map(({ name }) => name),
    );
    assert.deepEqual(
      columns.split(' ').filter(column => !names.has(column)),
      [],
    );
  });
}

test('processes have the user beside the uid', () => {
  const names = fresh()
    .prepare('SELECT * FROM processes')
    .columns()
    .map(({ name }) => name);
  assert.ok(names.includes('user'));
});
