/**
 * Makes text from a traced process harmless for a terminal. Any process may choose its name, its arguments and its
 * paths; printed raw they could move the cursor, set the clipboard, or show another order of letters than was run.
 */

// Controls move the cursor; formats reorder (bidi) or hide (zero-width, tags); separators break lines; a lone
// surrogate is no letter; what may be ignored by default would be read as if it were not there.
export const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

/** Nearly all texts: told from the rest ten times faster than by the classes above. */
const PLAIN = /^[ -~]*$/;

/** Those that C, JSON and $'…' of a shell write alike. */
export const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text in which nothing acts on a terminal: `\x1b`, `\n`, `\u202e` stand for what was there. */
export function escapeText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(UNSAFE, unsafe => SHORT[unsafe] ?? escapeCodePoint(unsafe.codePointAt(0) ?? 0));
}

/**
 * JSON with the same characters as `\u` escapes: it means the same value to a parser, and nothing to a terminal.
 * Only text inside strings can hold them, for JSON.stringify writes line feeds of its own only between tokens.
 */
export function escapeJson(json: string): string {
  if (PLAIN.test(json)) return json;
  return json.replace(UNSAFE, unsafe => (unsafe === '\n' ? unsafe : utf16Escapes(unsafe)));
}

function escapeCodePoint(code: number): string {
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\u{${code.toString(16)}}`;
}

function utf16Escapes(text: string): string {
  return Array.from(
    { length: text.length },
    (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('');
}
