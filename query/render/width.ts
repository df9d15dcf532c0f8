/** How many columns of a terminal a text takes, and how to make it fit. Texts are escaped before they come here. */

const NARROW = /^[\u0020-\u10ff]*$/; // before the first wide letters; marks that take no column are looked for apart
const MARK = /\p{Mn}|\p{Me}|\p{Cf}/u;
const MARKS = /\p{Mn}|\p{Me}|\p{Cf}/gu;
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;

/** Columns that a text takes. */
export function textWidth(text: string): number {
  if (NARROW.test(text)) return MARK.test(text) ? text.replace(MARKS, '').length : text.length;
  let width = 0;
  for (const letter of text) width += MARK.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1;
  return width;
}

/** The text, its end cut off and marked by … where it takes more than `width` columns. */
export function fit(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let used = 0;
  let kept = '';
  for (const letter of text) {
    used += textWidth(letter);
    if (used > width - 1) break;
    kept += letter;
  }
  return `${kept}…`;
}

/** The text with spaces to exactly `width` columns. */
export function pad(text: string, width: number, isRight: boolean): string {
  const spaces = ' '.repeat(Math.max(0, width - textWidth(text)));
  return isRight ? spaces + text : text + spaces;
}

/** A sentence in lines of at most `width`; a number stays with its unit. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/ (?!µs|(?:ms|s|min|h|d)\b)/)) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
