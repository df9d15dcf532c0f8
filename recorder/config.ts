/**
 * `/etc/snooprec/snooprec.toml`, and `conf.d/*.toml` beside it in the order of their names, the last one winning: options that
 * hold without being given. They decide what root records and where, so they are read only if nobody but root could have
 * written them. What is given on the command line wins.
 */

import { closeSync, constants, existsSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'smol-toml';
import { SnoopError } from '../migrations/errors.js';
import { requireSafeWay } from './path-safety.js';

export const CONFIG_FILE = '/etc/snooprec/snooprec.toml';
const BYTES_MAX = 1 << 20;
const OTHERS_WRITE = 0o022;

/** What may be set: the long options of `start`, without dashes, and what each holds. */
const KEYS = {
  db: 'text',
  cgroup: 'texts',
  flush: 'text',
  args: 'flag',
  'args-bytes': 'text',
  redact: 'flag',
  'lethal-buffer': 'text',
  'bulk-buffer': 'text',
  capture: 'text',
  returns: 'text',
  transport: 'text',
  'count-syscalls': 'flag',
  'max-size': 'text',
  'keep-free': 'text',
  retain: 'text',
  group: 'text',
} as const;

type Key = keyof typeof KEYS;

/** One thing that is set, and the file that does it. */
export interface Setting {
  key: Key;
  /** The name of the option as commander has it: `argsBytes`. */
  option: string;
  value: string | boolean | string[];
  file: string;
}

/**
 * The settings of `file` and of the directory conf.d beside it; of a key that is set twice, the last.
 * @param isAsked somebody named the file, so it must be there
 */
export function readConfig(file: string, isAsked: boolean): Setting[] {
  const settings = new Map<string, Setting>();
  const directory = join(dirname(file), 'conf.d');
  const names = existsSync(directory) ? readdirSync(directory).filter(name => name.endsWith('.toml')) : [];
  for (const path of [file, ...names.sort().map(name => join(directory, name))]) {
    if (path === file && !isAsked && !existsSync(file)) continue;
    for (const setting of parseConfig(readTrusted(path), path)) settings.set(setting.key, setting);
  }
  return [...settings.values()];
}

/** The settings in a text. Throws SnoopError 'config', which names the file and what is wrong in it. */
export function parseConfig(text: string, file: string): Setting[] {
  let table: Record<string, unknown>;
  try {
    table = parse(text);
  } catch (error) {
    const [first = ''] = (error as Error).message.split('\n');
    const { line } = error as { line?: number };
    throw wrong(
      `${file}${line === undefined ? '' : `, line ${line}`}: ${first}`,
      'it is TOML: name = "value"',
      error,
    );
  }
  return Object.entries(table).map(([name, value]) => setting(name, value, file));
}

function setting(name: string, value: unknown, file: string): Setting {
  if (!Object.hasOwn(KEYS, name)) {
    const guess = nearest(name);
    const hint = guess === null ? `known are ${Object.keys(KEYS).join(', ')}` : `did you mean ${guess}?`;
    throw wrong(`${file}: unknown setting ${JSON.stringify(name)}`, hint);
  }
  const key = name as Key;
  const option = key.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  switch (KEYS[key]) {
    case 'flag':
      if (typeof value === 'boolean') return { key, option, value, file };
      throw wrong(`${file}: ${key} must be true or false`, `${key} = true`);
    case 'texts': {
      const texts = Array.isArray(value) ? value : [value];
      if (texts.every(text => typeof text === 'string'))
        return { key, option, value: texts as string[], file };
      throw wrong(`${file}: ${key} must be a list of texts`, `${key} = ["/one", "/two"]`);
    }
    case 'text':
      if (typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value)))
        return { key, option, value: String(value), file };
      throw wrong(
        `${file}: ${key} must be a text or a whole number`,
        'write it like on the command line, in quotes',
      );
  }
}

/** The text of a file that only root could have written, and where nobody else can lead the way. */
function readTrusted(path: string): string {
  let fd: number;
  try {
    requireSafeWay(dirname(path));
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const isLink = (error as NodeJS.ErrnoException).code === 'ELOOP';
    const why = isLink ? `${path} is a symbolic link` : `cannot read ${path}: ${(error as Error).message}`;
    throw wrong(
      why,
      isLink ? 'put the file itself there' : '`snooprec config` shows what holds without one',
      error,
    );
  }
  try {
    const { uid, mode, size } = fstatSync(fd);
    if (!fstatSync(fd).isFile()) throw wrong(`${path} is not a plain file`, 'name a TOML file');
    if (uid !== 0 && uid !== process.geteuid?.())
      throw wrong(`${path} belongs to user ${uid}`, `chown root ${path}`);
    if (mode & OTHERS_WRITE) throw wrong(`${path} can be written by others`, `chmod go-w ${path}`);
    if (size > BYTES_MAX) throw wrong(`${path} has ${size} bytes`, 'a configuration has at most a megabyte');
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function wrong(message: string, hint?: string, cause?: unknown): SnoopError {
  return new SnoopError('config', message, hint, cause);
}

/** The known key that is most like a name; null: none is. */
function nearest(name: string): string | null {
  const plain = name.toLowerCase().replaceAll('_', '-');
  const [best] = Object.keys(KEYS)
    .map(key => ({ key, steps: distance(plain, key) }))
    .sort((a, b) => a.steps - b.steps);
  return best !== undefined && best.steps <= Math.max(1, best.key.length / 3) ? best.key : null;
}

/** How many letters must be put in, left out or changed (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (above[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(changed, (above[j] as number) + 1, (row[j - 1] as number) + 1));
    }
  }
  return row[b.length] as number;
}

/** The settings as a TOML text, each with where it comes from. */
export function configText(effective: readonly { key: string; value: unknown; source: string }[]): string {
  const width = Math.max(...effective.map(({ key, value }) => `${key} = ${shown(value)}`.length));
  return effective
    .map(({ key, value, source }) => {
      const line = `${value === undefined ? '# ' : ''}${key} = ${shown(value)}`;
      return `${line.padEnd(width + 2)}  # ${source}`;
    })
    .join('\n');
}

function shown(value: unknown): string {
  return value === undefined ? 'unset' : JSON.stringify(value);
}

/** The keys in their order, each with the name of its option. */
export function configKeys(): { key: string; option: string }[] {
  return Object.keys(KEYS).map(key => ({
    key,
    option: key.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
  }));
}
