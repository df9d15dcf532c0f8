/** Manual pages in man(7), from the list of questions and the documented views. Pure: text in, text out. */

import { commonOptions } from './common-options.js';
import { JSON_VERSION } from './json-schema.js';
import type { AnyQuestion } from './query.js';
import { REACH_DOC } from './reach.js';

/** Of the contract that the pages tell. Not of the build, which would make each another page. */
const DATE = '2026-11-21';
const WIDTH = 78;

interface Column {
  view: string;
  column: string | null;
  doc: string;
}

/** snoopq(1). */
export function snoopqManual(questions: readonly AnyQuestion[], version: string): string {
  const [first] = questions;
  const common = first === undefined ? [] : commonOptions({ ...first, options: [] });
  return page('SNOOPQ', 1, version, [
    section('NAME', 'snoopq \\- ask a recording who killed a process, how, on whose behalf'),
    section('SYNOPSIS', `.B snoopq\n.I QUESTION\n.RI [ ARGUMENTS ]\n.RI [ OPTIONS ]`),
    section(
      'DESCRIPTION',
      text(
        'snoopq reads the recording that snooprec(8) keeps of the processes of a machine, while it is being written and afterwards, and changes nothing in it. On a terminal an answer is a table, a drawing or a few lines; in a pipe it is tab-separated text. What a recorded process chose, such as its name, is escaped before it reaches a terminal.',
      ),
    ),
    section('QUESTIONS', questions.map(question).join('\n')),
    section('COMMON OPTIONS', common.map(({ flags, doc }) => tagged(flags, doc)).join('\n')),
    section(
      'TIMES',
      text(
        "A time is one of systemd.time(7): '10 min ago', -1h, today, yesterday, 14:05, '2026-11-21 14:05:30', ISO 8601 with Z or an offset, @ and seconds since the epoch; or a word of ausearch(8): boot, recent (ten minutes ago). Without a zone it is local time.",
      ),
    ),
    section('HOW FAR BACK', text(REACH_DOC)),
    section(
      'JSON',
      text(
        `Version ${JSON_VERSION}. A list is an array of objects with the names and values of the views of snooprec.db(5); who-killed and its like give one object. With --ndjson a row is an object on a line of its own. What a question gives is told, name by name, by its JSON Schema: snoopq schema --json-of QUESTION. Absent facts are null. Names are only added; were one to be taken away or to change its meaning, the version would, and with it the $id of the schemas.`,
      ),
    ),
    section(
      'EXIT STATUS',
      [
        ['0', 'answered'],
        ['1', 'nothing found'],
        ['2', 'usage or SQL error'],
        ['3', 'no readable recording'],
        ['4', 'with --strict: something was not recorded in the span of the answer'],
        ['130', 'interrupted'],
        [
          '142',
          'given up: for ten minutes nothing came of it, or it took more than 1.5 GiB of memory. Only a recording other than the default one is read within limits, for anybody may have made it; what sql runs has 30 s, and then 2',
        ],
      ]
        .map(([status = '', doc = '']) => tagged(status, doc))
        .join('\n'),
    ),
    section(
      'ENVIRONMENT',
      [
        tagged('SNOOPREC_DB', 'the recording, where --db is not given'),
        tagged('NO_COLOR', 'no colours; nor are there any where TERM is dumb, or in a pipe'),
        tagged('TZ', 'the zone of local times'),
      ].join('\n'),
    ),
    section('SEE ALSO', '.BR snooprec (8),\n.BR snooprec.db (5),\n.BR sqlite3 (1)'),
  ]);
}

/** snooprec.db(5). */
export function databaseManual(columns: readonly Column[], version: string): string {
  const views = columns.map(({ view, column, doc }) =>
    column === null ? `.SS ${plain(view)}\n${text(`${capital(doc)}.`)}` : tagged(column, doc),
  );
  return page('SNOOPREC.DB', 5, version, [
    section('NAME', 'snooprec.db \\- what snooprec recorded, as an SQLite database'),
    section(
      'DESCRIPTION',
      text(
        'The recording is an ordinary SQLite file, which any SQL tool may read, while it is being written too. Sealed segments lie beside it and have the same views; snoopq(1) reads them all as one. The views are a contract and are only ever extended; the tables below them are not. A time is ISO 8601 in UTC with microseconds, and beside it a column that ends in _us has the same in microseconds since the epoch: filter and subtract by those.',
      ),
    ),
    section('VIEWS', views.join('\n')),
    section('FILES', tagged('/var/lib/snooprec/snooprec.db', 'the recording, where nothing else is said')),
    section('SEE ALSO', '.BR snooprec (8),\n.BR snoopq (1),\n.BR sqlite3 (1)'),
  ]);
}

/** snooprec(8), from the help pages of its commands; the first is that of the command itself. */
export function snooprecManual(pages: readonly { name: string; help: string }[], version: string): string {
  return page('SNOOPREC', 8, version, [
    section('NAME', 'snooprec \\- record the signals, execs, forks and ends of all processes'),
    section('SYNOPSIS', '.B snooprec\n.I COMMAND\n.RI [ OPTIONS ]'),
    section(
      'DESCRIPTION',
      text(
        'snooprec is a flight recorder for the processes of a machine: eBPF probes inside the kernel see every signal with its real sender and target, every execution, fork and exit, and every victim of the OOM killer, and the recorder keeps them in one SQLite file. snoopq(1) answers from it, hours later, who killed a process. What could not be recorded is counted, and told beside the answers.',
      ),
    ),
    section(
      'COMMANDS',
      pages
        .map(
          ({ name, help }) =>
            `.SS ${plain(name)}\n.nf\n${help.trimEnd().split('\n').map(plain).join('\n')}\n.fi`,
        )
        .join('\n'),
    ),
    section('FILES', tagged('/var/lib/snooprec/snooprec.db', 'the recording, where nothing else is said')),
    section('SEE ALSO', '.BR snoopq (1),\n.BR snooprec.db (5)'),
  ]);
}

function page(name: string, number: number, version: string, sections: readonly string[]): string {
  return `.\\" Made from the program itself by npm run build; change it there.\n.TH ${name} ${number} ${DATE} "snooprec ${version}"\n${sections.join('\n')}\n`;
}

function section(title: string, body: string): string {
  return `.SH ${title}\n${body}`;
}

function question({ name, args, summary, why, options, examples }: AnyQuestion): string {
  const usage = args.map(({ shown, isOptional }) => (isOptional ? ` [${shown}]` : ` ${shown}`)).join('');
  return [
    `.SS ${plain(`${name}${usage}`)}`,
    text(`${capital(summary)}. ${why}`),
    ...args.map(({ shown, doc }) => tagged(shown, doc)),
    ...options.map(({ flags, doc }) => tagged(flags, doc)),
    '.PP\nExamples:',
    ...examples.map(({ command, doc }) => tagged(command, doc)),
  ].join('\n');
}

function tagged(tag: string, doc: string): string {
  return `.TP\n.B ${plain(tag)}\n${text(doc)}`;
}

/** A sentence begins a line, as man pages are written, and none is longer than a terminal. */
function text(words: string): string {
  return words
    .split(/(?<=[.:]) (?=[A-Z])/)
    .flatMap(wrapped)
    .map(guarded)
    .join('\n');
}

function wrapped(sentence: string): string[] {
  const lines: string[] = [];
  for (const word of sentence.split(' ').map(escaped)) {
    const line = lines.at(-1);
    if (line !== undefined && Buffer.byteLength(`${line} ${word}`) <= WIDTH)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Text that roff reads as it stands. */
function plain(line: string): string {
  return guarded(escaped(line));
}

function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll("'", '\\(aq');
}

/** A line that begins with a full stop would be a request. */
function guarded(line: string): string {
  return line.startsWith('.') ? `\\&${line}` : line;
}

function capital(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}
