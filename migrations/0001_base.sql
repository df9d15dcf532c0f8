-- The tables of a snooprec database: normalised, integers, texts stored once.
--
-- Why so: two indexes on random pids cut the insert rate twentyfold, so rows refer to processes by their
-- growing id, and pids are looked up in the small process table. Distinct texts (names, paths, argument
-- vectors) are stored once and referred to by id, so every event row is a handful of small integers.
--
-- Units: times are microseconds since the Unix epoch, UTC. A *_ns value is CLOCK_BOOTTIME nanoseconds.
-- Text that came from a traced process holds no NUL. Where its bytes were not clean UTF-8 the text is
-- escaped (\xHH, and \\ for a backslash) and the column raw holds the bytes; everywhere else raw is NULL.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,  -- 'views': the hash of views.sql that made the views of this file; 'from': start of the segment,
                           -- microseconds; 'reader': the oldest schema whose programs can read the file, if not any
  value TEXT NOT NULL
) WITHOUT ROWID;

-- A recording is kept in segments, each a database of its own: the live one and sealed ones. Ids grow over all of them. At
-- the head of a segment stand copies of what its rows refer to, from the segment before: the living processes with
-- their ancestors, and their texts. Rows with an id below `id` are such copies; of a process or recording that stands in
-- several segments the newest copy is the current one.
CREATE TABLE first_id (
  "table" TEXT PRIMARY KEY,
  id      INTEGER NOT NULL
) WITHOUT ROWID;

-- One boot of the machine: a pid and a start time mean a process only within one.
CREATE TABLE boot (
  id      INTEGER PRIMARY KEY,
  boot_id TEXT NOT NULL UNIQUE  -- /proc/sys/kernel/random/boot_id
);

-- One run of the recorder.
CREATE TABLE recording (
  id           INTEGER PRIMARY KEY,
  boot         INTEGER NOT NULL REFERENCES boot(id),
  started      INTEGER NOT NULL,  -- all probes attached, snapshot taken
  updated      INTEGER NOT NULL,  -- last batch or heartbeat; the end, if the recorder was killed
  ended        INTEGER,           -- NULL while it runs, or when it could not say goodbye
  ending       TEXT,              -- 'stopped', 'interrupted', 'finished' (snooprec run), 'failed'
  host         TEXT NOT NULL,
  kernel       TEXT NOT NULL,     -- uname -r
  version      TEXT NOT NULL,     -- of snooprec
  pid          INTEGER NOT NULL,  -- of the recorder
  scope        TEXT NOT NULL,     -- 'machine', 'cgroup …', 'tree …'
  options      TEXT NOT NULL,     -- JSON
  probes       TEXT NOT NULL DEFAULT '[]',  -- JSON array of {name, attached}
  seen         INTEGER NOT NULL DEFAULT 0,  -- seen = stored + folded + lost + malformed + shed
  stored       INTEGER NOT NULL DEFAULT 0,
  folded       INTEGER NOT NULL DEFAULT 0,
  lost         INTEGER NOT NULL DEFAULT 0,
  malformed    INTEGER NOT NULL DEFAULT 0,
  shed         INTEGER NOT NULL DEFAULT 0,
  rows         INTEGER NOT NULL DEFAULT 0,  -- rows written
  events_per_s REAL NOT NULL DEFAULT 0,     -- over the last heartbeat
  rows_per_s   REAL NOT NULL DEFAULT 0,
  lag_us       INTEGER NOT NULL DEFAULT 0   -- kernel time of the oldest record of the last batch to its commit
);

-- What was not recorded, and when. The runs themselves are the other half of the ledger.
CREATE TABLE coverage (
  id        INTEGER PRIMARY KEY,
  recording INTEGER NOT NULL REFERENCES recording(id),
  from_time INTEGER NOT NULL,
  to_time   INTEGER NOT NULL,
  kind      TEXT NOT NULL,  -- 'down' no recorder ran, 'lost' the kernel could not write a record,
                            -- 'malformed' it could not be decoded, 'shed' it could not be stored, 'clock' the wall clock stepped
  event     TEXT,           -- name of the event type, NULL when all are meant
  lane      TEXT,           -- 'lethal', 'bulk', NULL when both are meant
  count     INTEGER,        -- records; for 'clock' the step in microseconds; NULL when unknown
  cause     TEXT NOT NULL   -- one sentence
);

-- How far the lanes were read: stored in the same transaction as the rows that were made of their records, so that a
-- recorder that was killed goes on at the very next record.
CREATE TABLE lane_position (
  one       INTEGER PRIMARY KEY CHECK (one = 1),
  token     TEXT NOT NULL,     -- names the pinned lanes; '' when they are not pinned
  lethal    INTEGER NOT NULL,  -- position in bytes since the lanes were made
  bulk      INTEGER NOT NULL,
  accounted INTEGER NOT NULL,  -- records that are accounted for, lost ones too
  lost      TEXT NOT NULL      -- JSON array: lost ones by lane and type, as struct snoop_counters has them
);

CREATE TABLE comm (
  id   INTEGER PRIMARY KEY,
  comm TEXT NOT NULL,  -- task_struct.comm: at most 15 bytes, what ps calls the command name
  raw  BLOB
);

CREATE TABLE path (
  id   INTEGER PRIMARY KEY,
  path TEXT NOT NULL,
  raw  BLOB
);

-- A distinct argument vector.
CREATE TABLE argv (
  id    INTEGER PRIMARY KEY,
  args  TEXT NOT NULL,     -- JSON array of strings
  bytes INTEGER NOT NULL,  -- length in the process, every NUL counted; more than is stored here when it was cut
  raw   BLOB               -- NUL-terminated strings one after another
);

CREATE TABLE cgroup (
  id        INTEGER PRIMARY KEY,  -- the kernel's own ids begin anew with each boot
  path      TEXT NOT NULL,        -- below the mount point: '/system.slice/nginx.service'
  unit      TEXT,                 -- systemd unit named by the path
  container TEXT                  -- container id named by the path
);

-- A process: one thread group from its fork to its end. Identity is (boot, pid, start_ns); an exec changes what
-- it runs, never who it is, so a process has many rows in exec.
CREATE TABLE process (
  id          INTEGER PRIMARY KEY,  -- grows with the order in which the recorder met them
  boot        INTEGER NOT NULL REFERENCES boot(id),
  pid         INTEGER NOT NULL,     -- thread group id in the initial pid namespace
  start_ns    INTEGER NOT NULL,     -- task_struct.start_boottime of the leader
  ns_pid      INTEGER,              -- pid inside its own pid namespace, NULL where that is the initial one
  started     INTEGER NOT NULL,
  ended       INTEGER,              -- NULL: still running, or it ended unseen (see unseen_end)
  unseen_end  INTEGER,              -- it was gone by this time, and no exit was recorded
  parent      INTEGER REFERENCES process(id),  -- at creation
  parent_exec INTEGER REFERENCES exec(id),     -- what the parent was running then, NULL: since before the recorder
  origin      TEXT NOT NULL,        -- 'fork' seen, 'snapshot' older than the recorder, 'repaired' met by a later event
  exec        INTEGER REFERENCES exec(id),     -- the last successful one, NULL: none was seen
  comm        INTEGER REFERENCES comm(id),     -- the last one known
  exe         INTEGER REFERENCES path(id),
  argv        INTEGER REFERENCES argv(id),
  cwd         INTEGER REFERENCES path(id),     -- at the last exec
  uid         INTEGER,
  cgroup      INTEGER REFERENCES cgroup(id),   -- at creation or the last exec
  status      INTEGER,              -- as wait(2) would report it
  utime_us    INTEGER,              -- CPU time of all its threads
  stime_us    INTEGER,
  max_rss_kb  INTEGER
);
CREATE INDEX process_pid ON process(pid);
CREATE INDEX process_parent ON process(parent);

-- One execve or execveat, successful or not.
CREATE TABLE exec (
  id       INTEGER PRIMARY KEY,
  time     INTEGER NOT NULL,
  process  INTEGER NOT NULL REFERENCES process(id),
  result   INTEGER NOT NULL,  -- 0, or a negative errno
  filename INTEGER REFERENCES path(id),  -- as it was asked for
  exe      INTEGER REFERENCES path(id),  -- what runs now: the binary, for a script its interpreter
  interp   INTEGER REFERENCES path(id),  -- interpreter asked for by a script, NULL for a binary
  argv     INTEGER REFERENCES argv(id),
  cwd      INTEGER REFERENCES path(id),
  comm     INTEGER REFERENCES comm(id),  -- after the exec; of a failed one, of the caller
  uid      INTEGER NOT NULL,
  gid      INTEGER NOT NULL,
  euid     INTEGER NOT NULL,
  egid     INTEGER NOT NULL,
  loginuid INTEGER,           -- NULL: not set
  session  INTEGER,           -- audit session, NULL: none
  tty      INTEGER,           -- device number of the controlling terminal, NULL: none
  cgroup   INTEGER REFERENCES cgroup(id),
  inode    INTEGER,
  device   INTEGER,           -- kernel device number (major << 20 | minor)
  old_tid  INTEGER,           -- the thread that called, when it was not the leader
  flags    INTEGER NOT NULL   -- wire.h, enum snoop_flag
);
CREATE INDEX exec_process ON exec(process);

-- One signal to one process, or one attempt to send one; identical ones of a batch are folded into one row.
CREATE TABLE signal (
  id          INTEGER PRIMARY KEY,
  time        INTEGER NOT NULL,   -- of the first
  last_time   INTEGER,            -- of the last, NULL when count is 1
  count       INTEGER NOT NULL,
  sig         INTEGER NOT NULL,   -- 0: a probe whether the process exists; may be no signal at all in a refused attempt
  code        INTEGER,            -- si_code; NULL for an attempt that never became a signal
  sender      INTEGER REFERENCES process(id),  -- NULL: no process sent it
  sender_tid  INTEGER,
  sender_uid  INTEGER,
  sender_comm INTEGER REFERENCES comm(id),     -- at that time
  sender_exec INTEGER REFERENCES exec(id),     -- what the sender was running then
  target      INTEGER REFERENCES process(id),  -- NULL: there was none
  target_tid  INTEGER,            -- NULL: sent to the process, not to one thread
  target_comm INTEGER REFERENCES comm(id),
  mechanism   INTEGER NOT NULL REFERENCES mechanism_name(id),
  call        INTEGER,            -- one call, several targets: they share this number, the id of the first row of the call
  outcome     INTEGER NOT NULL,   -- outcome_name; negative: the errno of the refusal
  disposition INTEGER,            -- what the target would do with it: disposition_name
  target_arg  INTEGER,            -- the target as the sender named it: a pid in its namespace, a group, a descriptor
  syscall     INTEGER             -- number of the system call in progress, NULL: none
);
CREATE INDEX signal_target ON signal(target) WHERE target IS NOT NULL;
CREATE INDEX signal_sender ON signal(sender) WHERE sender IS NOT NULL;

CREATE TABLE oom_kill (
  id            INTEGER PRIMARY KEY,
  time          INTEGER NOT NULL,
  victim        INTEGER NOT NULL REFERENCES process(id),
  trigger       INTEGER REFERENCES process(id),  -- whose allocation failed: not to blame, but there
  memory_cgroup INTEGER REFERENCES path(id),     -- the victim's, in the hierarchy of the memory controller
  oom_score_adj INTEGER NOT NULL
);
CREATE INDEX oom_kill_victim ON oom_kill(victim);

-- System calls by user, one row for each span of about two seconds in which there were any (--count-syscalls).
CREATE TABLE uid_syscalls (
  id        INTEGER PRIMARY KEY,
  recording INTEGER NOT NULL REFERENCES recording(id),
  uid       INTEGER NOT NULL,
  from_time INTEGER NOT NULL,
  to_time   INTEGER NOT NULL,
  count     INTEGER NOT NULL
);

-- Names of users, as the machine had them when the run began.
CREATE TABLE user_name (
  uid  INTEGER PRIMARY KEY,
  name TEXT NOT NULL
);
