/** A table that records fill row by row: which columns, how many rows a batch may hold, and which rows are one. */

/** What a column may refer to by its id. */
export type Referred = 'process' | 'exec' | 'comm' | 'path' | 'argv' | 'cgroup';

export interface Table<Column extends string = string> {
  readonly name: string;
  /** Counts the tables: where its waiting rows are found without a search. */
  readonly index: number;
  readonly columns: readonly Column[];
  /** The columns that hold an id of another table. */
  readonly refs: { readonly [name in Column]?: Referred };
  /** Position of each column. */
  readonly at: { readonly [name in Column]: number };
  /** Rows that wait for their transaction at most. */
  readonly capacity: number;
  /** From this column to the last, two rows with equal values are one with a count; -1: never. */
  readonly sameFrom: number;
  /** Columns that are NULL in most rows: what inserts many of those at a time leaves them out. */
  readonly seldom: readonly Column[];
}

let tables = 0;

/**
 * @param sameFrom first of the columns that must be equal for two rows to be folded into one; none: never fold
 * @param seldom   columns that are NULL in most rows
 */
export function defineTable<const Column extends string>(
  name: string,
  columns: readonly Column[],
  refs: { readonly [name in NoInfer<Column>]?: Referred },
  capacity: number,
  sameFrom?: NoInfer<Column>,
  seldom: readonly NoInfer<Column>[] = [],
): Table<Column> {
  const at = Object.fromEntries(columns.map((column, i) => [column, i])) as { [name in Column]: number };
  return {
    name,
    index: tables++,
    columns,
    refs,
    at,
    capacity,
    sameFrom: sameFrom === undefined ? -1 : at[sameFrom],
    seldom,
  };
}
