/** Measures of a picture in pixels. */

/** Height of a row. */
export const ROW = 30;
export const BAR = 14;
/** Of a bar below the top of its row: above it there is room for the words of arrows. */
export const BAR_TOP = 12;
/** Height of the axis of time. */
export const AXIS = 26;
/** Mean width of a letter at 11 px, a little more than in common fonts. */
export const LETTER = 6.3;

/** Rows from `first` to `last`, both included. */
export interface Rows {
  first: number;
  last: number;
}
