/** What in a JSON Schema breaks those who relied on the one before. More is never a break: a name, a $def, a way it may look. */

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Words for people, which may change. */
const WORDS = ['description', 'title', '$comment'];

/** One sentence for each; none: what was published still holds. */
export function changesOf(before: unknown, after: unknown): string[] {
  return [...differences(before as Json, after as Json, '')];
}

function* differences(before: Json, after: Json | undefined, path: string): Generator<string> {
  if (after === undefined) {
    yield `${path} is gone`;
  } else if (Array.isArray(before) && Array.isArray(after)) {
    yield* lists(before, after, path);
  } else if (isObject(before) && isObject(after)) {
    for (const [key, value] of Object.entries(before))
      if (!WORDS.includes(key)) yield* differences(value, after[key], `${path}/${key}`);
  } else if (JSON.stringify(before) !== JSON.stringify(after)) {
    yield `${path}: ${JSON.stringify(before)} became ${JSON.stringify(after)}`;
  }
}

function* lists(before: readonly Json[], after: readonly Json[], path: string): Generator<string> {
  // Types must stay the same: who reads an integer is not prepared for a string.
  if (path.endsWith('/type')) {
    if (JSON.stringify(before) !== JSON.stringify(after))
      yield `${path}: ${JSON.stringify(before)} became ${JSON.stringify(after)}`;
    return;
  }
  for (const [i, value] of before.entries()) {
    if (isObject(value)) yield* differences(value, after[i], `${path}/${i}`);
    else if (!after.includes(value)) yield `${path}: ${JSON.stringify(value)} is gone`;
  }
}

function isObject(json: Json | undefined): json is { readonly [key: string]: Json } {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
