/** The command `snooprec`: its options, its words, its exit statuses. The only file of the recorder that ends the process. */

import { realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { DEFAULT_DATABASE, databasePath } from '../migrations/database.js';
import { SnoopError } from '../migrations/errors.js';
import { canRecord, check, findingText } from './check.js';
import { CONFIG_FILE } from './config.js';
import { report } from './errors.js';
import { applyConfig, effectiveConfig, passOn } from './given-options.js';
import { ignoreOtherSignals, keepSignalsHarmless } from './harmless-signals.js';
import { exitNow } from './libc.js';
import { log } from './log.js';
import { type RawOptions, recordOptions } from './options.js';
import { requirePrivileges } from './privileges.js';
import { runCommand, violentSummary } from './run.js';
import { openSession, startInBackground, stopRecorder, storeLeft, tellStarter } from './service.js';
import { ServiceManager } from './service-manager.js';
import { installUnit, removeUnit, serviceCommand, UNIT_PATH, unitText } from './service-unit.js';
import { status, statusText } from './status.js';
import { headOf, verifyRecording } from './verify.js';
import { VERSION } from './version.js';

const STATUS_STOPPED = 3;

/** A recorder that is broken is gone at once, and its lock with it: the kernel records on, and the next start takes over. */
function endOnBugs(): void {
  process.on('uncaughtException', error => {
    log('bug', `internal error, this recorder ends: ${error.stack}`);
    exitNow(1);
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function program(): Command {
  const command = new Command('snooprec')
    .description(
      'A flight recorder for processes: every signal, exec, fork, exit and OOM kill, into one SQLite file.',
    )
    .version(VERSION)
    .option('--verbose', 'show what libbpf and the kernel said')
    .showSuggestionAfterError()
    .configureOutput({ writeErr: () => {}, outputError: () => {} })
    .exitOverride()
    .hook('preAction', (_, action) => applyConfig(action));

  const recording = (name: string, summary: string) =>
    command
      .command(name)
      .description(summary)
      .option('--db <file>', 'database (default: $SNOOPREC_DB, else /var/lib/snooprec/snooprec.db)')
      .option('--flush <ms>', 'store at least this often', '250')
      .option('--args-bytes <size>', 'argument bytes kept of each exec, at most 128K', '32K')
      .option('--no-args', 'keep no arguments at all')
      .option('--no-redact', 'keep passwords, tokens and other secrets in arguments as they are')
      .addOption(new Option('--redact', 'replace them by a fingerprint (default)').hideHelp())
      .option('--lethal-buffer <size>', 'buffer for what may have killed', '4M')
      .option('--bulk-buffer <size>', 'buffer for the rest', '16M')
      .option('--capture <way>', 'where the call in progress is found: auto, regs or hash', 'auto')
      .option(
        '--returns <way>',
        'calls whose return is seen: auto, each (that matters, 64-bit) or all',
        'auto',
      )
      .option('--transport <way>', 'what the buffers are made of: auto, ring or perf', 'auto')
      .option('--count-syscalls', 'count the system calls of each user, too')
      .option('--max-size <size>', 'disk that the recording may take', '4G')
      .option('--keep-free <size>', 'disk to leave free for others (default: a twentieth of it, at most 1G)')
      .option('--retain <age>', 'drop what is older, like 30d (violent deaths are kept)');

  const cgroup = () =>
    new Option('--cgroup <dir>', 'record only this cgroup and all below it (repeatable)').argParser(collect);

  const group = () =>
    new Option('--group <name>', 'who may read sealed segments (default: nobody; never the live one)');

  recording('start', 'start recording in the background; returns when every probe is attached')
    .addOption(cgroup())
    .addOption(group())
    .option('--foreground', 'stay in the foreground until SIGTERM or Ctrl-C')
    .action(start);

  recording('run', 'record one command and its descendants; exits with its status')
    .argument('<command...>', 'the command, behind --')
    .action(run);

  command
    .command('stop')
    .description('stop recording, and leave one plain file')
    .option('--db <file>', 'database')
    .action(stop);

  command
    .command('status')
    .description('tell whether a recorder runs and how it does; exit 0 running, 3 stopped')
    .option('--db <file>', 'database')
    .option('--json', 'as JSON')
    .action(showStatus);

  command
    .command('check')
    .description('tell what this machine offers for recording, and how to mend what it lacks')
    .option('--db <file>', 'database')
    .action(showCheck);

  command
    .command('verify')
    .description('look whether what was recorded is still as it was stored; exit 1 if it is not')
    .option('--db <file>', 'database')
    .option('--head <hash>', 'and whether it still holds a link of the chain that was written down')
    .action(showVerified);

  recording('config', 'show what `start` with these options would take, and where each value comes from')
    .addOption(cgroup())
    .addOption(group())
    .action(showConfig);

  command
    .command('install-service')
    .description('have systemd run the recorder from boot on, closed in and restarted when it is killed')
    .option('--db <file>', 'database (default: as for start)')
    .option('--print', 'only show the unit, for another machine or place')
    .option('--remove', 'remove the unit')
    .action(installService);

  for (const each of command.commands)
    each.option('--config <file>', `settings, and conf.d beside it (default: ${CONFIG_FILE})`);
  return command;
}

function installService(
  raw: { print?: boolean; remove?: boolean; db?: string; config?: string },
  command: Command,
): void {
  const db = resolve(databasePath(raw.db));
  // What the service does not find in its configuration is given to it.
  const isConfigured = command.getOptionValueSource('db') === 'config';
  const options = [
    ...(raw.config === undefined ? [] : [`--config=${resolve(raw.config)}`]),
    ...(isConfigured || db === DEFAULT_DATABASE ? [] : [`--db=${db}`]),
  ];
  const service = serviceCommand(process.execPath, realpathSync(process.argv[1] as string), options);
  if (raw.print) {
    process.stdout.write(unitText(service, dirname(db)));
    return;
  }
  requirePrivileges();
  if (raw.remove) {
    const wasThere = removeUnit();
    say(wasThere ? `removed ${UNIT_PATH}; now: systemctl daemon-reload` : `there is no ${UNIT_PATH}`);
    return;
  }
  const next = 'start it with: systemctl daemon-reload && systemctl enable --now snooprec';
  say(`${installUnit(service, db) ? 'wrote' : 'nothing to change in'} ${UNIT_PATH}; ${next}`);
}

function showVerified(raw: { db?: string; head?: string }): void {
  const { lines, isWhole } = verifyRecording(resolve(databasePath(raw.db)), raw.head);
  say(lines.join('\n'));
  if (!isWhole) process.exitCode = 1;
}

function showConfig(raw: RawOptions, command: Command): void {
  say(effectiveConfig(raw, command));
}

function collect(value: string, all: string[] | undefined): string[] {
  return [...(all ?? []), value];
}

async function start(raw: RawOptions & { foreground?: boolean }, command: Command): Promise<void> {
  const options = recordOptions(raw);
  requirePrivileges();
  if (raw.foreground) return await recordInForeground(raw);
  const { pid, wasRunning } = await startInBackground(options, passOn(raw, command));
  say(
    wasRunning
      ? `already running (pid ${pid}), recording into ${options.db}`
      : `recording into ${options.db} (pid ${pid})`,
  );
}

async function recordInForeground(raw: RawOptions): Promise<void> {
  process.umask(0o077); // SQLite asks for 0644 where it thinks that a file is there
  endOnBugs();
  keepSignalsHarmless();
  ignoreOtherSignals();
  const asked = new Promise<'stopped' | 'interrupted'>(done => {
    process.on('SIGTERM', () => done('stopped'));
    process.on('SIGINT', () => done('interrupted'));
  });
  const options = recordOptions(raw);
  const session = openSession(options);
  if (session === null) {
    throw new SnoopError('running', `another recorder writes ${options.db}`, '`snooprec status` tells which');
  }
  const manager = ServiceManager.of(process.env);
  tellStarter({ ready: true });
  manager?.ready(process.env, () => session.lastMove);
  log('start', `recording into ${options.db}`);
  const ending = await asked;
  manager?.stopping();
  log('stop', `stopped; the head of the chain is ${await session.stop(ending)}`);
}

async function run(command: string[], raw: RawOptions): Promise<void> {
  requirePrivileges();
  endOnBugs();
  keepSignalsHarmless();
  const scope = { kind: 'tree', root: process.pid, command } as const;
  const options = recordOptions(
    { ...raw, db: raw.db ?? process.env['SNOOPREC_DB'] ?? 'snooprec-run.db' },
    scope,
  );
  const since = Date.now() * 1000;
  process.exitCode = await runCommand(options, command);
  for (const line of violentSummary(options.db, since)) process.stderr.write(`snooprec: ${line}\n`);
}

async function stop(raw: { db?: string }): Promise<void> {
  const options = recordOptions(raw);
  const pid = await stopRecorder(options.db);
  if (pid === null && !(await storeLeft(options))) {
    say(`not running (${options.db})`);
    return;
  }
  const what =
    pid === null ? 'stored what a recorder that was killed left in the kernel' : `stopped (pid ${pid})`;
  const head = headOf(options.db);
  say(
    `${what}; ${options.db} is one plain file now${head === null ? '' : `, the head of its chain ${head}`}`,
  );
}

function showStatus(raw: { db?: string; json?: boolean }): void {
  const current = status(resolve(databasePath(raw.db)));
  say(raw.json ? JSON.stringify(current, null, 2) : statusText(current));
  if (!current.running) process.exitCode = STATUS_STOPPED;
}

async function showCheck(raw: { db?: string }): Promise<void> {
  const findings = await check(resolve(databasePath(raw.db)));
  if (!canRecord(findings)) process.exitCode = 1;
  process.stdout.once('error', () => process.exit()); // whoever reads it has read enough
  say(findings.map(findingText).join('\n'));
}

async function main(): Promise<void> {
  const command = program();
  try {
    if (process.argv.length <= 2) command.help();
    await command.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return;
      process.stderr.write(`snooprec: ${error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')}\n`);
      process.stderr.write('hint: snooprec --help\n');
      process.exitCode = 2;
      return;
    }
    if (error instanceof SnoopError) {
      tellStarter({ error: { code: error.code, message: error.message, hint: error.hint } });
      if (process.env['SNOOPREC_READY_FD'] !== undefined) exitNow(1);
    }
    exitNow(report(error, command.opts<{ verbose?: boolean }>().verbose === true));
  }
}

void main();
