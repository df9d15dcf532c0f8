/** `snooprec status`: whether a recorder runs, and how it does, from its lock and its own row in the database. */

import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { lockHolder } from './lock.js';
import { leftPins } from './pins.js';

/** The JSON of `snooprec status --json`; rates are per second. Fields are only ever added. */
export interface Status {
  /** False also while it only starts; then it has a pid already. */
  running: boolean;
  pid: number | null;
  /** A killed recorder's probes still record in the kernel. */
  orphaned: boolean;
  since: string | null;
  db: string;
  scope: string | null;
  /** Where the probes find the system call in progress, on what they see it return, and what the lanes are made of. */
  capture: string | null;
  returns: string | null;
  transport: string | null;
  /** The probes and lanes outlive a recorder that is killed. */
  pinned: boolean;
  probes: { name: string; attached: boolean }[];
  events: number;
  rows: number;
  events_per_s: number;
  rows_per_s: number;
  folded: number;
  lost: number;
  malformed: number;
  shed: number;
  lag_ms: number;
  db_bytes: number;
}

interface RecordingRow {
  started: string;
  scope: string;
  capture: string | null;
  returns: string | null;
  transport: string | null;
  probes: string;
  seen: number;
  rows: number;
  events_per_s: number;
  rows_per_s: number;
  folded: number;
  lost: number;
  malformed: number;
  shed: number;
  lag_us: number;
}

export function status(db: string): Status {
  const holder = lockHolder(db);
  const running = holder?.ready === true;
  const row = running ? lastRecording(db) : undefined;
  return {
    running,
    pid: holder?.pid ?? null,
    orphaned: holder === null && leftPins(db).length > 0,
    since: row?.started ?? null,
    db,
    scope: row?.scope ?? null,
    capture: row?.capture ?? null,
    returns: row?.returns ?? null,
    transport: row?.transport ?? null,
    pinned: running && leftPins(db).length > 0,
    probes: row ? (JSON.parse(row.probes) as Status['probes']) : [],
    events: row?.seen ?? 0,
    rows: row?.rows ?? 0,
    events_per_s: row?.events_per_s ?? 0,
    rows_per_s: row?.rows_per_s ?? 0,
    folded: row?.folded ?? 0,
    lost: row?.lost ?? 0,
    malformed: row?.malformed ?? 0,
    shed: row?.shed ?? 0,
    lag_ms: (row?.lag_us ?? 0) / 1000,
    db_bytes: [db, `${db}-wal`].reduce(
      (sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0),
      0,
    ),
  };
}

function lastRecording(db: string): RecordingRow | undefined {
  let connection: Database.Database | undefined;
  try {
    connection = new Database(db, { readonly: true, timeout: 200 });
    return connection
      .prepare(
        `SELECT v.started, v.scope, v.options ->> '$.capture' AS capture, v.options ->> '$.returns' AS returns,
           v.options ->> '$.transport' AS transport, v.probes, v.seen, v.folded, v.lost, v.malformed, v.shed, r.rows, r.events_per_s, r.rows_per_s, r.lag_us
         FROM recordings v JOIN recording r USING (id) ORDER BY id DESC LIMIT 1`,
      )
      .get() as RecordingRow | undefined;
  } catch {
    return undefined;
  } finally {
    connection?.close();
  }
}

/** For people: aligned, one fact a line. */
export function statusText(s: Status): string {
  if (!s.running && s.pid !== null) return `starting (pid ${s.pid}): not yet recording into ${s.db}`;
  if (!s.running && s.orphaned) {
    return `not running (${s.db}): it was killed, and the kernel records on; \`snooprec start\` takes over, \`snooprec stop\` stores and ends it`;
  }
  if (!s.running) return `not running (${s.db})`;
  const attached = s.probes.filter(probe => probe.attached).length;
  const facts: [string, string][] = [
    ['recording', `process ${s.pid} since ${s.since}`],
    ['database', `${s.db}, ${(s.db_bytes / 1e6).toFixed(1)} MB`],
    ['scope', `${s.scope}`],
    [
      'probes',
      `${attached} of ${s.probes.length} attached; capture ${s.capture}, returns ${s.returns}, transport ${s.transport}`,
    ],
    ['if killed', s.pinned ? 'the kernel records on' : 'nothing is recorded until the next start: no pins'],
    [
      'events',
      `${s.events} seen, ${s.events_per_s.toFixed(1)}/s; ${s.rows} rows, ${s.rows_per_s.toFixed(1)}/s`,
    ],
    ['folded', `${s.folded}`],
    [
      'lost',
      `${s.lost}${s.malformed ? `, malformed ${s.malformed}` : ''}${s.shed ? `, shed ${s.shed}` : ''}`,
    ],
    ['lag', `${s.lag_ms.toFixed(0)} ms`],
  ];
  return facts.map(([name, value]) => `${name.padEnd(10)} ${value}`).join('\n');
}
