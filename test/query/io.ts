/** A pretended outside: gathers what is written, with a fixed present, width and no colours. */

import { run } from '../../query/cli.js';
import type { Io } from '../../query/io.js';
import { at } from './fixture.js';

export interface Said {
  status: number;
  out: string;
  err: string;
}

/** Answers `argv` about the recording at `db`, if there is one, within this process. */
export async function ask(db: string, argv: readonly string[], io: Partial<Io> = {}): Promise<Said> {
  const said = { status: -1, out: '', err: '' };
  said.status = await run(db === '' ? argv : [...argv, '--db', db], {
    out: text => {
      said.out += text;
    },
    err: text => {
      said.err += text;
    },
    isTerminal: false,
    hasColor: false,
    width: 120,
    env: {},
    now: at(1300),
    boot: () => at(-100_000),
    ...io,
  });
  return said;
}
