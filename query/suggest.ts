/** "Did you mean": the known words that a misspelt one is nearest to. */

/** Of `words` those that differ from `word` by the fewest slips, at most one in three letters; the case does not count. */
export function nearest(word: string, words: Iterable<string>): string[] {
  let best = Math.max(1, Math.floor(word.length / 3));
  let found: string[] = [];
  for (const candidate of words) {
    const slips = distance(word.toLowerCase(), candidate.toLowerCase());
    if (slips < best) found = [];
    if (slips <= best) {
      best = slips;
      found.push(candidate);
    }
  }
  return [...new Set(found)].sort();
}

/** A hint, where there is anything near. */
export function didYouMean(word: string, words: Iterable<string>): string | undefined {
  const found = nearest(word, words);
  return found.length === 0 ? undefined : `did you mean ${found.slice(0, 3).join(' or ')}?`;
}

/** Letters to insert, leave out, replace, or exchange with their neighbour (optimal string alignment). */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? a.length;
}
