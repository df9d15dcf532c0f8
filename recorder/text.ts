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
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at] as number);
    const sequence = bytes.subarray(at, at + length);
    if (length > 0 && sequence.length === length && isUtf8(sequence) && sequence[0] !== 0) {
      const character = utf8(sequence);
      text += character === '\\' ? '\\\\' : character;
      at += length;
    } else {
      text += `\\x${(bytes[at] as number).toString(16).padStart(2, '0')}`;
      at += 1;
    }
  }
  return text;
}

function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  if (first >= 0xf0 && first < 0xf5) return 4;
  return 0;
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
