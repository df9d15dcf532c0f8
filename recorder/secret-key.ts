/**
 * The key of the fingerprints that stand in the place of secrets: random, in a file of its own beside the database, readable
 * by the recorder alone. Whoever is given a copy of the recording does not get it, and so cannot try passwords against it.
 */

import { randomBytes } from 'node:crypto';
import { closeSync, constants, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { SnoopError } from '../migrations/errors.js';
import { makePrivateFile, refuseForeignFile } from './path-safety.js';
import { syncDirectory } from './segment-files.js';

const KEY_BYTES = 32;

/** The file of the key of a database. */
export function keyPath(db: string): string {
  return `${db.replace(/\.db$/, '')}.key`;
}

/** The key of a database, made if there is none. */
export function keyBeside(db: string): Buffer {
  const path = keyPath(db);
  refuseForeignFile(path);
  makePrivateFile(path);
  const fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const key = Buffer.alloc(KEY_BYTES);
    const length = readSync(fd, key, 0, KEY_BYTES, 0);
    const isBlank = key.every(byte => byte === 0); // a power cut may leave the length without the bytes
    if (length === KEY_BYTES && !isBlank) return key;
    if (!isBlank) throw new SnoopError('database', `${path} is no key`, 'remove it: a new one will be made');
    const made = randomBytes(KEY_BYTES);
    writeSync(fd, made, 0, KEY_BYTES, 0);
    fsyncSync(fd);
    syncDirectory(dirname(path));
    return made;
  } finally {
    closeSync(fd);
  }
}
