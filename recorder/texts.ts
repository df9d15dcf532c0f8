/**
 * Texts stored once: command names, paths, argument vectors. Each pool knows the ids of the texts it met lately; one
 * that it forgot is simply stored again under a new id, which costs a row and no truth.
 */

import { KEEP_ALL, type Redactor } from './redact.js';
import { decodeText, joinPath, splitStrings } from './text.js';

const KNOWN_MAX = 20_000;
/** Longer texts are not remembered: many would fill the memory, and V8 hashes a string beyond 16 KiB by its length alone. */
const KEY_MAX = 1024;

/** A row for the table of a pool; `values` in the order of its columns. */
export interface TextRow {
  id: number;
  values: (string | number | Buffer | null)[];
}

/** The ids of texts by their bytes. When there are too many it forgets all. */
class Known {
  readonly #ids = new Map<string, number>();

  get(key: string): number | undefined {
    return key.length > KEY_MAX ? undefined : this.#ids.get(key);
  }

  set(key: string, id: number): void {
    if (key.length > KEY_MAX) return;
    if (this.#ids.size >= KNOWN_MAX) this.#ids.clear();
    this.#ids.set(key, id);
  }

  clear(): void {
    this.#ids.clear();
  }
}

class Pool {
  readonly added: TextRow[] = [];
  nextId: number;
  readonly #known = new Known();

  constructor(nextId: number) {
    this.nextId = nextId;
  }

  /** Known texts are to be stored again. */
  forget(): void {
    this.#known.clear();
  }

  /** The id of the text with these bytes; `values` is asked for only when it is new. */
  id(key: string, values: () => TextRow['values']): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const id = this.nextId++;
    this.added.push({ id, values: values() });
    this.#known.set(key, id);
    return id;
  }
}

/** First free id of each table. */
export interface NextIds {
  comm: number;
  path: number;
  argv: number;
}

/** What may be kept of them. */
export interface Keeping {
  redactor: Redactor;
  /** Bytes of an argument vector. */
  argsBytes: number;
}

const ALL: Keeping = { redactor: KEEP_ALL, argsBytes: Number.POSITIVE_INFINITY };

export class Texts {
  readonly comms: Pool;
  readonly paths: Pool;
  readonly argvs: Pool;
  readonly #keeping: Keeping;
  /** The ids of paths by their components: most execs are of programs and in directories that were met before. */
  readonly #joined = new Known();

  constructor(next: NextIds, keeping = ALL) {
    this.#keeping = keeping;
    this.comms = new Pool(next.comm);
    this.paths = new Pool(next.path);
    this.argvs = new Pool(next.argv);
  }

  /** A command name: the bytes up to the first NUL. */
  comm(bytes: Uint8Array): number {
    return this.#simple(this.comms, untilNul(bytes));
  }

  /** A path, or null for no bytes at all. */
  path(bytes: Uint8Array): number | null {
    return bytes.length === 0 ? null : this.#simple(this.paths, this.#keeping.redactor.text(bytes));
  }

  /** A path from its components, leaf first, each NUL-terminated; no component at all is the root. */
  pathOf(components: Uint8Array): number {
    const key = latin1(components);
    const known = this.#joined.get(key);
    if (known !== undefined) return known;
    const path = joinPath(components);
    const kept = this.#keeping.redactor.text(path);
    const id = this.#simple(this.paths, kept);
    if (kept === path) this.#joined.set(key, id); // no memory of a secret
    return id;
  }

  /**
   * An argument vector from its NUL-terminated strings.
   * @param total bytes that they have in the process, more than these when they were cut
   */
  argv(given: Uint8Array, total: number): number {
    const { redactor, argsBytes } = this.#keeping;
    const allowed = given.length > argsBytes ? given.subarray(0, argsBytes) : given;
    // Before anything else: not even the pool remembers a secret.
    const block = redactor.args(allowed, allowed.length < total);
    return this.argvs.id(`${total}:${latin1(block)}`, () => {
      const texts = splitStrings(block).map(decodeText);
      const isClean = texts.every(text => text.raw === null);
      return [JSON.stringify(texts.map(text => text.text)), total, isClean ? null : Buffer.from(block)];
    });
  }

  /** Whether `argv` leaves something out of so many bytes. */
  cuts(bytes: number): boolean {
    return bytes > this.#keeping.argsBytes;
  }

  /** What was stored is not where the next texts go. */
  forget(): void {
    for (const pool of [this.comms, this.paths, this.argvs]) pool.forget();
    this.#joined.clear();
  }

  get nextIds(): NextIds {
    return { comm: this.comms.nextId, path: this.paths.nextId, argv: this.argvs.nextId };
  }

  /** The added rows are stored. */
  clear(): void {
    for (const pool of [this.comms, this.paths, this.argvs]) pool.added.length = 0;
  }

  #simple(pool: Pool, bytes: Uint8Array): number {
    return pool.id(latin1(bytes), () => {
      const { text, raw } = decodeText(bytes);
      return [text, raw];
    });
  }
}

export function untilNul(bytes: Uint8Array): Uint8Array {
  const nul = bytes.indexOf(0);
  return nul < 0 ? bytes : bytes.subarray(0, nul);
}

/** One character a byte: a key that tells all byte strings apart. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
