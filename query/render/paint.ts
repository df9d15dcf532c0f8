/** Colours, where they are wanted: NO_COLOR, TERM=dumb and pipes are decided once, in io.ts. */

import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

export type Painter = (style: Style, text: string) => string;

/** A painter that paints, or one that leaves text alone. */
export function painter(hasColor: boolean): Painter {
  // Without validateStream, newer Nodes look at stdout again and would overrule what io.ts found.
  return hasColor ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text;
}
