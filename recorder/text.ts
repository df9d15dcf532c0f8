/**
 * Bytes of a traced process as text for the database: clean UTF-8 as it is; anything else escaped, with the bytes
 * beside it. A NUL never gets into a TEXT column, for it hides the rest from every SQL tool.
 */

import { isUtf8 } from 'node:buffer';

export interface Text {
  text: string;
  /** The bytes, only when the text had to be escaped. */
  raw: Buffer | null;
}

/** Decodes one string; the buffer may be memory of the ring, so what is kept is a copy. */
export function decodeText(bytes: Uint8Array): Text {
  if (isUtf8(bytes) && !bytes.includes(0)) return { text: utf8(bytes), raw: null };
  return { text: escapeBytes(bytes), raw: Buffer.from(bytes) };
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Keeps what is valid UTF-8, doubles backslashes, and writes each other byte, and NUL, as \xHH. */
function escapeBytes(bytes: Uint8Array): string {
  const out = Buffer.allocUnsafe(bytes.length * 4);
  let end = 0;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] as number;
    const length = characterLength(bytes, at);
    if (length === 0) {
      out[end++] = BACKSLASH;
      out[end++] = X;
      out[end++] = HEX[byte >> 4] as number;
      out[end++] = HEX[byte & 15] as number;
      at++;
      continue;
    }
    if (byte === BACKSLASH) out[end++] = BACKSLASH;
    for (const last = at + length; at < last; at++) out[end++] = bytes[at] as number;
  }
  return out.toString('utf8', 0, end);
}

const BACKSLASH = 0x5c;
const X = 0x78;
const HEX = Buffer.from('0123456789abcdef');

/** Bytes of the character that starts at `at` (Unicode, table 3-7); 0 where none does, and at a NUL. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return first === 0 ? 0 : 1;
  const length = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (length === 0 || at + length > bytes.length) return 0;
  // The second byte is bound tighter after some: no overlong forms, no surrogates, nothing beyond the last code point.
  const second = bytes[at + 1] as number;
  if (second < (first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80)) return 0;
  if (second > (first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf)) return 0;
  for (let i = at + 2; i < at + length; i++) {
    if (((bytes[i] as number) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** The strings of a block of NUL-terminated ones; the last may lack its NUL when the block was cut. */
export function splitStrings(block: Uint8Array): Uint8Array[] {
  const strings: Uint8Array[] = [];
  for (let at = 0; at < block.length; ) {
    const nul = block.indexOf(0, at);
    const end = nul < 0 ? block.length : nul;
    strings.push(block.subarray(at, end));
    at = end + 1;
  }
  return strings;
}

/** A path from its components, leaf first, each NUL-terminated; no component at all is the root. */
export function joinPath(components: Uint8Array): Buffer {
  const parts = splitStrings(components).reverse();
  return Buffer.concat(parts.length === 0 ? [SLASH] : parts.flatMap(part => [SLASH, part]));
}

const SLASH = Buffer.from('/');
