/**
 * Who wanted it: from the one who sent the signal, past those that only do what others say. Pure: the rules are in
 * couriers.ts, the facts come from the caller. What the recording proves (who started whom) and what only fits (a command
 * that names the victim) are told apart; where nothing fits the answer is null.
 */

import { CLIENTS, type Client, COURIERS, type Courier, type Naming } from './couriers.js';
import { shellLine } from './shell.js';
import { showDuration } from './time.js';
import type { Process } from './verdict.js';

export interface Instigator {
  process: Process;
  /** One phrase: on what this rests. */
  why: string;
  /** Proven: who started whom was recorded. Probable: a command fits. */
  certainty: 'proven' | 'probable';
  /** The command that fits; null where the line of parents tells. */
  exec: { id: number; time: string; process_id: number; args: string[] | null } | null;
}

/** What a program is known by. */
export type Program = Pick<Process, 'comm' | 'exe' | 'args'>;

/** A command that was run shortly before. */
export interface RecentExec extends Program {
  id: number;
  time: string;
  time_us: number;
  process_id: number;
}

/** Where the search among parents ended. */
export type Climb =
  | { end: 'found'; process: Process; why: string }
  /** What asked this service is not among its parents. */
  | { end: 'service'; service: Process }
  | { end: 'nobody' };

/** By what a command could name the victim. */
export interface Names {
  pid: number;
  comm: string | null;
  exe: string | null;
  args: string[] | null;
  unit: string | null;
  cgroup: string | null;
  container: string | null;
  user: string | null;
  uid: number | null;
  /** Names that its ancestors were told for its container. */
  containerNames: readonly string[];
}

/** Files that do what their arguments or the name that they are called by say: interpreters, and many commands in one. */
const MANY_NAMES =
  /^(python|perl|ruby|node|nodejs|busybox|toybox|coreutils|systemctl|pgrep|killall5|bash|sh|dash)[\d.]*$/;
const SHORTEST_ID = 4;
const CONTAINER_ID = /^[0-9a-f]{12,64}$/;

/** The names that a program goes by. A file name cannot be made up by a process, its command name can. */
export function programNames({ comm, exe, args }: Program): string[] {
  const file = exe === null ? null : baseName(exe.replace(/ \(deleted\)$/, ''));
  if (file !== null && !MANY_NAMES.test(file)) return [file];
  const given = (args ?? []).slice(0, 2).filter(word => !word.startsWith('-'));
  return [file, comm, ...given.map(baseName)]
    .filter(name => name !== null)
    .map(name => name.replace(/^-/, ''));
}

/** The rule for a program; undefined: it decides for itself. */
export function courierOf(program: Program): Courier | undefined {
  const names = programNames(program);
  return COURIERS.find(
    ({ programs, onlyWith }) =>
      programs.some(name => names.includes(name)) && (onlyWith === undefined || hasOption(program, onlyWith)),
  );
}

/** From the killer up to the first who decides for itself. `line` begins with the killer. */
export function climb(line: readonly Process[]): Climb {
  const at = line.findIndex(process => courierOf(process)?.will !== 'relay');
  const process = line[at];
  if (process === undefined) return { end: 'nobody' };
  const will = courierOf(process)?.will;
  if (will === 'watchdog') return { end: 'nobody' };
  if (will === 'service') {
    const started = line[at - 1];
    if (started === undefined || at < 2) return { end: 'service', service: process };
    return {
      end: 'found',
      process: started,
      why: `${named(process)} started it, and ${ran(line.slice(0, at - 1))}`,
    };
  }
  return at === 0 ? { end: 'nobody' } : { end: 'found', process, why: ran(line.slice(0, at)) };
}

/** The last command that bids `service` to end the victim; without a service, one that does so itself. */
export function matchExec(
  execs: readonly RecentExec[],
  names: Names,
  service: Program | null,
): { exec: RecentExec; why: (sent: number) => string } | null {
  const asked = service === null ? null : programNames(service);
  const candidates = [...execs]
    .sort((a, b) => b.time_us - a.time_us)
    .flatMap(exec => clientsOf(exec, asked).map(client => ({ exec, client })));
  for (const tell of [namesVictim, mayNameContainer]) {
    for (const { exec, client } of candidates) {
      const what = tell(client, exec.args ?? [], names);
      if (what === null) continue;
      const command = shellLine(exec.args ?? []);
      return {
        exec,
        why: sent => `"${command}", run ${showDuration(Math.max(0, sent - exec.time_us))} before, ${what}`,
      };
    }
  }
  return null;
}

/** The rules by which a command asks the service of these names, or without one ends something itself. */
function clientsOf(exec: Program, asked: readonly string[] | null): Client[] {
  const programs = programNames(exec);
  return CLIENTS.filter(
    ({ programs: known, asks }) =>
      known.some(name => programs.includes(name)) &&
      (asked === null ? asks === undefined : asks?.some(name => asked.includes(name)) === true),
  );
}

/** All the command names that a matching exec could have. */
export function clientCommands(): string[] {
  return [...new Set(CLIENTS.flatMap(({ programs }) => programs))];
}

/** The names that conmon and containerd's shim were given for the container. */
export function containerNames(ancestors: readonly Program[]): string[] {
  return ancestors.flatMap(({ args }) =>
    (args ?? []).flatMap((word, i) => (/^(-n|--name|-id|--id)$/.test(word) ? (args?.[i + 1] ?? []) : [])),
  );
}

function namesVictim(
  { verbs, names: naming }: Client,
  args: readonly string[],
  victim: Names,
): string | null {
  const words = wordsFor(verbs, args);
  if (words === null) return null;
  if (naming === 'everything') return 'ends every process';
  return words.some(word => FITS[naming](word, victim)) ? `names ${WHAT[naming]}` : null;
}

/**
 * Docker keeps the names of containers to itself: `docker stop web` may well mean the victim's, of which only the id was
 * recorded. An id, which is no name, would have fitted.
 */
function mayNameContainer(
  { verbs, names: naming }: Client,
  args: readonly string[],
  { container }: Names,
): string | null {
  if (naming !== 'container' || container === null) return null;
  const named = (wordsFor(verbs, args) ?? []).filter(word => !CONTAINER_ID.test(word));
  return named.length === 0 ? null : 'names a container, which one was not recorded';
}

/** The words of a command beside its options and its verb; null: it has none of these verbs. */
function wordsFor(verbs: readonly string[] | undefined, args: readonly string[]): string[] | null {
  const words = args.slice(1).filter(word => !word.startsWith('-'));
  if (verbs === undefined) return words;
  return words.some(word => verbs.includes(word)) ? words.filter(word => !verbs.includes(word)) : null;
}

const WHAT: Record<Exclude<Naming, 'everything'>, string> = {
  pid: 'its pid',
  command: 'its command',
  unit: 'its unit',
  container: 'its container',
  session: 'its session',
};

const FITS: Record<Exclude<Naming, 'everything'>, (word: string, victim: Names) => boolean> = {
  pid: (word, { pid }) => Number(word) === pid,
  command: (word, { comm, exe, args }) =>
    [comm, exe, args?.[0] ?? null].some(name => name !== null && baseName(name) === baseName(word)),
  unit: (word, { unit, cgroup }) =>
    unitsOf(unit, cgroup).some(
      name => name === word || name.replace(/\.\w+$/, '') === word || matchesGlob(word, name),
    ),
  container: (word, { container, cgroup, containerNames: known }) =>
    (word.length >= SHORTEST_ID && container?.startsWith(word) === true) ||
    known.includes(word) ||
    (word.length > 8 && (cgroup ?? '').split('/').includes(word)),
  session: (word, { cgroup, user, uid }) =>
    (cgroup ?? '').split('/').includes(`session-${word}.scope`) || word === user || word === String(uid),
};

/** A unit, and the slices and scopes around it. */
function unitsOf(unit: string | null, cgroup: string | null): string[] {
  const around = (cgroup ?? '').split('/').filter(part => /\.(service|scope|slice|socket|mount)$/.test(part));
  return unit === null ? around : [unit, ...around];
}

/**
 * Whether a pattern of systemctl fits: * and ? as in a shell. Without a regular expression, because the pattern comes from
 * a traced process and could make one run for ever.
 */
export function matchesGlob(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return false;
  let [p, n, star, retry] = [0, 0, -1, 0];
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++;
      retry = n;
    } else if (pattern[p] === '?' || pattern[p] === name[n]) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** Whether it is among the options before the first word that is none; short ones may stand together. */
function hasOption({ args }: Program, option: string): boolean {
  const words = (args ?? []).slice(1);
  const end = words.findIndex(word => !word.startsWith('-'));
  const letter = option.slice(1);
  return words
    .slice(0, end < 0 ? words.length : end)
    .some(word => word === option || (/^-[a-z]+$/i.test(word) && word.includes(letter)));
}

/** `it ran sudo (pid 7), which ran kill (pid 8)`; `line` begins with the killer. */
function ran(line: readonly Process[]): string {
  return `it ran ${line.toReversed().map(named).join(', which ran ')}`;
}

function named({ comm, pid }: Process): string {
  return `${comm ?? 'a process of unknown name'} (pid ${pid})`;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
