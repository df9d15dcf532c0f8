/** Users and groups that only a test, and what it starts, can see. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { hideMounts } from './storage.js';

/** The user `snooprec`. */
export const SERVICE = 64_999;
/** A group for those who may read. */
export const READERS = { name: 'snoopreaders', gid: 64_998 } as const;

/** There is a user `snooprec`, as an installation makes one. */
export function withServiceUser(t: TestContext): void {
  append(t, '/etc/passwd', `snooprec:x:${SERVICE}:${SERVICE}::/nonexistent:/usr/sbin/nologin`);
}

/** There is a group for those who may read. */
export function withReaders(t: TestContext): void {
  append(t, '/etc/group', `${READERS.name}:x:${READERS.gid}:`);
}

function append(t: TestContext, file: string, line: string): void {
  hideMounts();
  const copy = join(tmpdir(), `snooprec-${basename(file)}-${process.pid}`);
  copyFileSync(file, copy);
  spawnSync('/bin/sh', ['-c', 'echo "$1" >> "$2"; mount --bind "$2" "$3"; rm "$2"', 'sh', line, copy, file]);
  t.after(() => spawnSync('umount', [file]));
  assert.ok(readFileSync(file, 'utf8').endsWith(`${line}\n`), file);
}
