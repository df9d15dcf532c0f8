/** A value with nothing in its texts that acts on a terminal, turns letters around or hides. */

import { escapeText } from '../escape.js';

/** The same value; keys are ours and stay. */
export function harmless<T>(value: T): T {
  if (typeof value === 'string') return escapeText(value) as T;
  if (Array.isArray(value)) return value.map(harmless) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, harmless(part)])) as T;
}
