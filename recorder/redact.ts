/**
 * Takes secrets out of arguments and paths before anything stores, logs or even remembers them. In the place of each
 * stands `[redacted:1a2b3c4d]`: a fingerprint under a key that never leaves this machine, so that equal secrets can still be
 * matched, and none can be guessed from it.
 *
 * Bytes in, bytes out: text is taken as one character a byte, so what is not redacted stays what it was. The bytes that come
 * in are given back themselves when there is nothing to take out.
 */

import { createHmac } from 'node:crypto';
import { basename } from 'node:path';
import {
  ASKING,
  CUT_ADDRESS,
  FIELDS,
  isSecretName,
  NO_SECRET,
  PROGRAM_RULES,
  type ProgramRule,
  SHAPES,
  SUSPICIOUS,
} from './secrets.js';

/** Part of a text: from the first character to behind the last. */
type Span = readonly [from: number, to: number];

/** Turns bytes of a traced process into bytes that may be kept. */
export interface Redactor {
  /** Of NUL-terminated arguments. @param isCut the process had more of them, and the last may lack its end */
  args(block: Uint8Array, isCut: boolean): Uint8Array;
  /** Of one text: a path, a name of a file. */
  text(bytes: Uint8Array): Uint8Array;
}

/** Keeps everything: --no-redact. */
export const KEEP_ALL: Redactor = { args: block => block, text: bytes => bytes };

const MARK = /\[redacted:[0-9a-f]{8}\]/;
const MARK_CHARACTERS = 19;
const DEPTH_MAX = 3;
/** The probe keeps so much of each argument of a failed exec: bpf/exec_failed.bpf.h. */
const CUT_AT = 4095;

/** @param key at least 16 random bytes */
export function makeRedactor(key: Uint8Array): Redactor {
  const mark = (secret: string) =>
    `[redacted:${createHmac('sha256', key).update(secret, 'latin1').digest('hex').slice(0, 8)}]`;
  return {
    args(block, isCut) {
      if (!isSuspicious(block)) return block;
      const text = latin1(block);
      const isEnded = text.endsWith('\0');
      const args = (isEnded ? text.slice(0, -1) : text).split('\0');
      const spans = secretsIn(args, isCut);
      if (spans.every(found => found.length === 0)) return block;
      const kept = args.map((arg, i) => replaced(arg, spans[i] as Span[], mark)).join('\0');
      return kept === text ? block : Buffer.from(isEnded ? `${kept}\0` : kept, 'latin1');
    },
    text(bytes) {
      if (!isSuspicious(bytes)) return bytes;
      const text = latin1(bytes);
      const spans = [...shapesIn(text), ...fieldsIn(text)];
      return spans.length === 0 ? bytes : Buffer.from(replaced(text, spans, mark), 'latin1');
    },
  };
}

/** Of each byte a number below 64: letters of either case the same, digits their own, other bytes what is left. */
const CLASS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) return byte & 31;
  return byte >= 0x30 && byte <= 0x39 ? byte - 0x10 : 42 + (byte % 22);
});
/** By three such numbers: the suspicious words that begin with them; 0: there are none. */
const BEGINS = new Uint8Array(1 << 18);
const WORDS_OF: Buffer[][] = [[]];
for (const word of SUSPICIOUS.map(word => Buffer.from(word))) {
  const three = word.subarray(0, 3).reduce((so, byte) => (so << 6) | (CLASS[byte] as number), 0);
  BEGINS[three] ||= WORDS_OF.push([]) - 1;
  WORDS_OF[BEGINS[three] as number]?.push(word);
}

/** One look at each byte: a regular expression of the same words takes five times as long. */
function isSuspicious(bytes: Uint8Array): boolean {
  let three = 0;
  for (let i = 0; i < bytes.length; i++) {
    three = ((three << 6) | (CLASS[bytes[i] as number] as number)) & 0x3ffff;
    if (BEGINS[three] !== 0 && isWordAt(bytes, i - 2, WORDS_OF[BEGINS[three] as number] as Buffer[]))
      return true;
  }
  return false;
}

function isWordAt(bytes: Uint8Array, at: number, words: readonly Buffer[]): boolean {
  for (const word of words) {
    let i = 0;
    while (
      i < word.length &&
      at + i < bytes.length &&
      CLASS[bytes[at + i] as number] === CLASS[word[i] as number]
    )
      i++;
    if (i === word.length) return true;
  }
  return false;
}

/** Which parts of each argument are secret. */
export function secretsIn(args: readonly string[], isCut = false): Span[][] {
  const spans: Span[][] = args.map(() => []);
  const scan = new Scan();
  args.forEach((arg, i) => {
    const found = spans[i] as Span[];
    const isScript = /^-[a-z]*c$/.test(args[i - 1] ?? '') && /\s/.test(arg);
    const ofWord = isScript ? [] : scan.word(arg);
    found.push(...ofWord);
    if (ofWord.length === 0) found.push(...scriptSecrets(arg, 1), ...fieldsIn(arg));
    found.push(...shapesIn(arg));
    const isLast = i === args.length - 1;
    if ((isCut && isLast) || arg.length >= CUT_AT) found.push(...matchesOf(CUT_ADDRESS, arg));
  });
  return spans;
}

/** Goes through the words of a command, and knows which program they are for. */
class Scan {
  #program = '';
  #rules: readonly ProgramRule[] = [];
  readonly #seen = new Set<string>();
  /** The next word is a secret, or only what stands in it behind this character. */
  #awaited: { behind: string | undefined } | null = null;

  /** The secret parts of the next word. */
  word(word: string): Span[] {
    const awaited = this.#awaited;
    this.#awaited = null;
    if (awaited && !/^--[a-z]/.test(word)) return valueFrom(word, 0, awaited.behind);
    const [, name = '', value] = /^-{0,2}([A-Za-z][\w.-]*?)[=](.*)$/s.exec(word) ?? [];
    const rule = this.#rules.find(
      ({ flags, after }) =>
        (after === undefined || this.#seen.has(after)) && flags.some(flag => leadsIn(word, flag)),
    );
    if (value !== undefined && isSecretName(name)) return valueFrom(word, word.length - value.length);
    if (rule) return this.#follow(rule, word);
    if (
      /^--?[A-Za-z][\w.-]*$/.test(word) &&
      isSecretName(word.replace(/^-+/, '')) &&
      !ASKING.test(this.#program)
    )
      this.#awaited = { behind: undefined };
    else if (/^[^-=\s][^=\s]*$/.test(word)) this.#note(word);
    return [];
  }

  /** A word that may name a program, or a command of one. */
  #note(word: string): void {
    const name = basename(word);
    const rules = PROGRAM_RULES.filter(({ programs }) => programs.test(name));
    if (rules.length > 0 || ASKING.test(name)) {
      this.#program = name;
      this.#rules = rules;
      this.#seen.clear();
    }
    this.#seen.add(word);
  }

  #follow({ flags, at, behind, isOnce }: ProgramRule, word: string): Span[] {
    if (isOnce) this.#rules = [];
    const glued = flags.find(flag => word.startsWith(flag) && word.length > flag.length);
    const isWhole = flags.some(flag => isFlag(word, flag));
    if (at !== 'glued' && isWhole) {
      this.#awaited = { behind };
      return [];
    }
    if (at === 'next' || glued === undefined) return [];
    const from = glued.length + (word[glued.length] === '=' ? 1 : 0);
    return valueFrom(word, from, behind);
  }
}

/** Whether a word is this flag, alone or at the end of several letters (-su), or begins with it. */
function leadsIn(word: string, flag: string): boolean {
  return (
    isFlag(word, flag) || (word.startsWith(flag) && (!flag.startsWith('--') || word[flag.length] === '='))
  );
}

function isFlag(word: string, flag: string): boolean {
  if (word === flag) return true;
  const letter = /^-([A-Za-z])$/.exec(flag)?.[1];
  return letter !== undefined && /^-[A-Za-z]{2,4}$/.test(word) && word.endsWith(letter);
}

function valueFrom(word: string, from: number, behind?: string): Span[] {
  let start = from;
  let end = word.length;
  const quote = word[start];
  if ((quote === '"' || quote === "'") && end - start > 1 && word.endsWith(quote)) {
    start++;
    end--;
  }
  if (behind !== undefined) {
    const at = word.indexOf(behind, start);
    if (at < 0) return [];
    start = at + 1;
  }
  return NO_SECRET.test(word.slice(start, end)) ? [] : [[start, end]];
}

const SHELL_WORDS = /(?:[^\s'"]|"(?:[^"\\]|\\.)*"|'[^']*')+/g;

/** The secrets in a text of several words, as a shell would take it apart. */
function scriptSecrets(text: string, depth: number): Span[] {
  if (depth > DEPTH_MAX || !/\s/.test(text)) return [];
  const scan = new Scan();
  const spans: Span[] = [];
  for (const match of text.matchAll(SHELL_WORDS)) {
    let word = match[0].replace(/^[({$]+|[;)}]+$/g, '');
    let at = match.index + match[0].indexOf(word);
    const quote = /^(["'])[\s\S]*\1$/.exec(word)?.[1];
    if (quote !== undefined && word.indexOf(quote, 1) === word.length - 1) {
      word = word.slice(1, -1);
      at++;
    }
    const found = scan.word(word);
    const inner = found.length > 0 ? found : scriptSecrets(word, depth + 1);
    spans.push(...inner.map(([from, to]): Span => [from + at, to + at]));
  }
  return spans;
}

function shapesIn(text: string): Span[] {
  return SHAPES.flatMap(shape => matchesOf(shape, text));
}

function fieldsIn(text: string): Span[] {
  const spans: Span[] = [];
  for (const { index, 0: all, groups } of text.matchAll(FIELDS)) {
    if (groups === undefined || !isSecretName(groups['name'] as string)) continue;
    const { double, single, bare } = groups;
    const value = bare ?? single ?? double ?? '';
    const from = index + all.length + (bare === undefined ? 1 : 0);
    if (!NO_SECRET.test(value)) spans.push([from, from + value.length]);
  }
  return spans;
}

/** Where the group `secret` of a pattern matches; by hand, for the flag that has the engine tell costs three times as much. */
function matchesOf(pattern: RegExp, text: string): Span[] {
  const spans: Span[] = [];
  for (const { index, 0: all, groups } of text.matchAll(pattern)) {
    const secret = groups?.['secret'] as string;
    const from = index + all.lastIndexOf(secret);
    if (!NO_SECRET.test(secret)) spans.push([from, from + secret.length]);
  }
  return spans;
}

/** The text with a mark in the place of each span; what is marked already stays so. */
function replaced(text: string, spans: readonly Span[], mark: (secret: string) => string): string {
  let out = '';
  let at = 0;
  for (const [from, to] of merged(spans)) {
    const secret = text.slice(from, to);
    const isMarked = MARK.test(text.slice(Math.max(at, from - MARK_CHARACTERS), to + MARK_CHARACTERS));
    out += text.slice(at, from) + (isMarked ? secret : mark(secret));
    at = to;
  }
  return out + text.slice(at);
}

/** Overlapping spans as one. */
function merged(spans: readonly Span[]): Span[] {
  const all: [number, number][] = [];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = all.at(-1);
    if (last && from < last[1]) last[1] = Math.max(last[1], to);
    else if (to > from) all.push([from, to]);
  }
  return all;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
