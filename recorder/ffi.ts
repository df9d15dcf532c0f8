/**
 * The way into C: the only file that knows koffi. Its users declare functions and get numbers, array buffers and opaque handles; a
 * null pointer or a negative return is a SnoopError here, and never reaches their callers.
 */

import { constants } from 'node:os';
import koffi from 'koffi';
import { SnoopError } from '../migrations/errors.js';

/** A pointer of a library: an object, a program, a map or a link of libbpf. */
export type Handle = { readonly handle: unique symbol };

/** A library; null: the C library. Throws when it is not there. */
export const openLibrary = (name: string | null) => koffi.load(name);
/** A pointer to a function of ours, by its C prototype, and the type of such pointers. */
export function callback(prototype: string, call: (...args: never[]) => unknown) {
  const type = koffi.pointer(koffi.proto(prototype));
  return { type, pointer: koffi.register(call, type) };
}
/** A struct that a function fills in. */
export const outStruct = (name: string, fields: Record<string, string>): ReturnType<typeof koffi.out> =>
  koffi.out(koffi.pointer(koffi.struct(name, fields)));

export const errno = (): number => koffi.errno();
/** Memory that C owns. */
export const view = (at: unknown, bytes: number): ArrayBuffer => koffi.view(at, bytes);
/** What mmap(2) answers when it fails. */
export const isMapFailed = (at: unknown): boolean => BigInt.asIntN(64, BigInt(koffi.address(at))) === -1n;

/** libbpf's own words about what went wrong, oldest first; the last 200 lines. */
const messages: string[] = [];

export function keepMessage(text: string): void {
  messages.push(text);
  if (messages.length > 200) messages.shift();
}

/** What libbpf has said since the last call. */
export function takeMessages(): string[] {
  return messages.splice(0);
}

/** A pointer, or a SnoopError that says what could not be had. */
export function pointer(value: unknown, what: string): Handle {
  if (value) return value as Handle;
  throw kernelError(what, koffi.errno());
}

/** A number that is not negative, or a SnoopError. */
export function number(value: number, what: string): number {
  if (value >= 0) return value;
  throw kernelError(what, -value > 1 ? -value : koffi.errno());
}

function errnoName(errno: number): string {
  const known = Object.entries(constants.errno).find(([, value]) => value === errno);
  return known ? known[0] : `errno ${errno}`;
}

export function kernelError(what: string, errno: number): SnoopError {
  const denied = errno === constants.errno.EPERM || errno === constants.errno.EACCES;
  return new SnoopError(
    denied ? 'privilege' : 'kernel',
    `cannot ${what}: ${errnoName(errno)}`,
    denied
      ? 'run it as root, or with CAP_BPF and CAP_PERFMON'
      : '`snooprec check` tells what this kernel lacks',
    new Error(takeMessages().slice(-12).join('\n')),
  );
}
