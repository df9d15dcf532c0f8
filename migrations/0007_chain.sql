-- A chain over what is stored, so that a later edit, deletion or reordering shows: recorder/chain.ts, `snooprec verify`.

-- One link: a batch, the opening of a segment, its end, or a stop of the recorder. Ids grow over all segments; the first link
-- of a segment is a copy of the last one of the segment before.
CREATE TABLE chain (
  id      INTEGER PRIMARY KEY,
  kind    TEXT NOT NULL,     -- 'open', 'batch', 'seal', 'stop'
  time    INTEGER NOT NULL,
  covers  TEXT NOT NULL,     -- JSON: which rows
  content BLOB NOT NULL,     -- SHA-256 of these rows
  hash    BLOB NOT NULL      -- SHA-256 of the hash before, of this row, and of content: the head, if it is the last
);
