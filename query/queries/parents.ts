/** Which parents start a program. */

import { defineQuery } from '../query.js';

export const parents = defineQuery({
  name: 'parents',
  summary: 'which parents start a program, and how often',
  why: 'Counts successful runs of a program by what the parent was when it forked: the first thing to ask about a program that should not run, or runs too often.',
  examples: [
    { command: 'snoopq parents gzip', doc: 'who runs gzip, from whatever directory' },
    { command: 'snoopq parents /usr/bin/python3 --since boot', doc: 'who ran exactly this file since boot' },
  ],
  args: [
    {
      name: 'binary',
      shown: 'BINARY',
      kind: 'text',
      doc: 'base name or full path of the file, or command name',
    },
  ],
  options: [],
  events: ['exec', 'fork'],
  sought: 'successful execs of that program',
  sql: `
SELECT parent_comm, parent_exe, count(*) AS count, min(time) AS first, max(time) AS last
FROM execs
WHERE result = 'ok' AND id BETWEEN :first_id AND :last_id
  AND (:since IS NULL OR time_us >= :since) AND (:until IS NULL OR time_us <= :until)
  AND (exe = :binary OR filename = :binary OR comm = :binary
    OR substr(exe, -length(:binary) - 1) = '/' || :binary OR substr(filename, -length(:binary) - 1) = '/' || :binary)
GROUP BY parent_comm, parent_exe`,
  grows: 'exec',
  order: { by: 'count', first: 'highest' },
  columns: { parent_comm: 'name', parent_exe: 'path', count: 'count', first: 'time', last: 'time' },
});
