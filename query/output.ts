/** Where an answer goes that is a file: into the one that was named, into a pipe, or into a new one with a name of its own. */

import { resolve } from 'node:path';
import { SnoopError } from '../migrations/errors.js';
import type { Io } from './io.js';
import { writeNewFile } from './new-file.js';
import type { Answer, Option } from './query.js';

/** The option of all the questions whose answer is a file. */
export const OUTPUT: Option = {
  name: 'output',
  flags: '-o, --output <file>',
  kind: 'text',
  doc: 'the file to make; it must not be there yet. -: standard output',
};

/** What is written. */
export interface Product {
  /** Name of the file where none was given. */
  name: string;
  /** Small text that a person may want to read on a terminal. */
  isReadable: boolean;
  fill: (write: (text: string) => void) => void;
}

/** The part of an answer that writes `product` to where `target`, the value of the option, says. */
export function deliver(product: Product, target: string | null, io: Io): Pick<Answer, 'write'> {
  if (isFile(target, product.isReadable, io)) {
    const path = target ?? product.name;
    return {
      write: out => {
        const fill = (write: (text: string) => void): void =>
          product.fill(text => {
            io.step?.();
            write(text);
          });
        const size = writeNewFile(path, fill, io.unfinished);
        out(`${resolve(path)}  (${showSize(size)})\n`);
      },
    };
  }
  if (io.isTerminal && !product.isReadable) {
    throw new SnoopError('usage', `${product.name} is not for a terminal`, `name a file: -o ${product.name}`);
  }
  return { write: product.fill };
}

/** Whether it goes into a file, not to standard output. */
export function isFile(target: string | null, isReadable: boolean, io: Io): boolean {
  return target === null ? io.isTerminal && !isReadable : target !== '-';
}

function showSize(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
