-- Signals that took effect. The table signal tells what was sent; whether a handler ran, and what became of a signal that
-- was blocked when it came, is decided later, when a thread takes it from its queue.

-- One lethal signal that ran a handler, or did what it does by default; identical ones of a batch are folded into one row.
CREATE TABLE delivery (
  id        INTEGER PRIMARY KEY,
  time      INTEGER NOT NULL,   -- of the first
  last_time INTEGER,            -- of the last, NULL when count is 1
  count     INTEGER NOT NULL,
  process   INTEGER NOT NULL REFERENCES process(id),
  tid       INTEGER,            -- thread that took it, NULL: the first one, or it was found in the queue at the end
  sig       INTEGER NOT NULL,
  code      INTEGER NOT NULL,   -- si_code
  action    INTEGER NOT NULL,   -- disposition_name: 0 default, 2 handled
  mechanism INTEGER REFERENCES mechanism_name(id),  -- as far as the code tells; NULL: a process signed, or the kernel as one
  from_pid  INTEGER,            -- si_pid: who signed, as numbered in the pid namespace of the process; NULL: nobody
  from_uid  INTEGER             -- si_uid
);
CREATE INDEX delivery_process ON delivery(process);
