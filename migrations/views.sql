-- The views: what people and SQL tools read. A public contract, column by column: only ever extended.
-- Each column is documented by the comment at its end; `snoopq schema` and the manual print them from here.
-- A time is ISO 8601 in UTC with microseconds; beside it *_us is the same in microseconds since the epoch, the
-- one to filter and subtract by.

CREATE VIEW processes AS -- one row per process: from its fork to its end, whatever it executed meanwhile
SELECT
  p.id AS id,                                     -- of the process in this database; pids come again, this does not
  p.pid AS pid,                                   -- process id on the host
  p.ns_pid AS ns_pid,                             -- process id inside its own pid namespace, NULL if that is the host's
  strftime('%Y-%m-%dT%H:%M:%S', p.started / 1000000, 'unixepoch') || printf('.%06dZ', p.started % 1000000) AS started, -- time of the fork
  strftime('%Y-%m-%dT%H:%M:%S', p.ended / 1000000, 'unixepoch') || printf('.%06dZ', p.ended % 1000000) AS ended, -- time of the exit, NULL: runs still, or ended unseen
  round((p.ended - p.started) / 1000.0, 3) AS duration_ms, -- life time in milliseconds
  c.comm AS comm,                                 -- command name, at most 15 bytes, the last one known
  exe.path AS exe,                                -- file that it executes
  (SELECT group_concat(CASE WHEN value = '' OR value GLOB '*[^-A-Za-z0-9_@%+=:,./]*'
      THEN '''' || replace(value, '''', '''\''''') || '''' ELSE value END, ' ')
    FROM json_each(a.args)) AS cmdline,           -- its arguments, quoted so that a shell would read them back
  a.args AS args,                                 -- its arguments, a JSON array
  cwd.path AS cwd,                                -- working directory at the last exec
  p.uid AS uid,                                   -- real user id
  u.name AS user,                                 -- its name on that machine
  parent.pid AS ppid,                             -- parent at creation: process id
  p.parent AS parent_id,                          -- parent at creation: id
  pc.comm AS parent_comm,                         -- parent at creation: command name
  g.path AS cgroup,                               -- path of its cgroup
  g.unit AS unit,                                 -- systemd unit, from the cgroup path
  g.container AS container,                       -- container id, from the cgroup path
  CASE WHEN p.status & 127 = 0 THEN (p.status >> 8) & 255 END AS exit_code, -- exit status, NULL when a signal ended it
  nullif(p.status & 127, 0) AS exit_signal,       -- signal that ended it, NULL when it exited
  (p.status >> 7) & 1 AS core_dumped,             -- 1 when the kernel dumped core
  p.origin AS origin,                             -- how the recorder met it: fork, snapshot, repaired
  p.utime_us AS user_us,                          -- CPU time in user mode, microseconds
  p.stime_us AS system_us,                        -- CPU time in the kernel, microseconds
  p.max_rss_kb AS max_rss_kb,                     -- largest resident memory, KiB
  b.boot_id AS boot_id,                           -- boot of the machine in which it lived
  p.started AS started_us,                        -- started, microseconds
  p.ended AS ended_us,                            -- ended, microseconds
  p.unseen_end AS unseen_end_us,                  -- it was gone by then, and its exit was not recorded
  p.exec AS exec_id,                              -- its last exec, NULL if none was seen
  p.parent_exec AS parent_exec_id,                -- exec of the file that its parent ran when it forked, NULL: not seen
  p.last_parent AS reaper_id,                     -- who had taken it in when it ended: id; NULL: its parent, or it runs still
  reaper.pid AS reaper_pid,                       -- who had taken it in: process id
  rc.comm AS reaper_comm,                         -- who had taken it in: command name
  p.comm AS comm_id,                              -- comm: id in comms
  p.exe AS exe_id,                                -- exe: id in paths
  p.argv AS args_id,                              -- args: id in arguments
  p.cgroup AS cgroup_id                           -- cgroup, unit, container: id in cgroups
FROM process p
JOIN boot b ON b.id = p.boot
LEFT JOIN comm c ON c.id = p.comm
LEFT JOIN path exe ON exe.id = p.exe
LEFT JOIN argv a ON a.id = p.argv
LEFT JOIN path cwd ON cwd.id = p.cwd
LEFT JOIN cgroup g ON g.id = p.cgroup
LEFT JOIN user_name u ON u.uid = p.uid
LEFT JOIN process parent ON parent.id = p.parent
LEFT JOIN comm pc ON pc.id = parent.comm
LEFT JOIN process reaper ON reaper.id = p.last_parent
LEFT JOIN comm rc ON rc.id = reaper.comm;

CREATE VIEW execs AS -- one row per execve(2) or execveat(2), refused ones too
SELECT
  e.id AS id,                                     -- of the exec
  strftime('%Y-%m-%dT%H:%M:%S', e.time / 1000000, 'unixepoch') || printf('.%06dZ', e.time % 1000000) AS time, -- when
  p.pid AS pid,                                   -- process that called: process id
  e.process AS process_id,                        -- process that called: id
  c.comm AS comm,                                 -- command name after it; of a refused one, of the caller
  parent.pid AS ppid,                             -- its parent at creation: process id
  p.parent AS parent_id,                          -- its parent at creation: id
  coalesce(pec.comm, pc.comm) AS parent_comm,     -- what the parent was when it forked: command name
  coalesce(pee.path, pe.path) AS parent_exe,      -- what the parent was when it forked: file
  fn.path AS filename,                            -- file asked for
  exe.path AS exe,                                -- file that runs now; for a script, its interpreter
  it.path AS interpreter,                         -- interpreter that a script asked for
  a.args AS args,                                 -- arguments, a JSON array
  (SELECT group_concat(CASE WHEN value = '' OR value GLOB '*[^-A-Za-z0-9_@%+=:,./]*'
      THEN '''' || replace(value, '''', '''\''''') || '''' ELSE value END, ' ')
    FROM json_each(a.args)) AS cmdline,           -- arguments, quoted so that a shell would read them back
  e.flags & 1 AS args_truncated,                  -- 1 when args was cut
  a.bytes AS args_bytes,                          -- length of all arguments in the process, every NUL counted
  cwd.path AS cwd,                                -- working directory
  e.uid AS uid,                                   -- real user id
  e.euid AS euid,                                 -- effective user id
  e.gid AS gid,                                   -- real group id
  e.egid AS egid,                                 -- effective group id
  e.loginuid AS loginuid,                         -- who logged in, whatever sudo did since; NULL: no login
  e.session AS session,                           -- audit session
  CASE WHEN e.tty >> 20 = 136 THEN 'pts/' || (e.tty & 1048575)
       WHEN e.tty IS NOT NULL THEN (e.tty >> 20) || ':' || (e.tty & 1048575) END AS tty, -- controlling terminal
  g.path AS cgroup,                               -- path of its cgroup
  g.unit AS unit,                                 -- systemd unit
  g.container AS container,                       -- container id
  e.inode AS inode,                               -- of the file that runs
  CASE WHEN e.device IS NOT NULL THEN (e.device >> 20) || ':' || (e.device & 1048575) END AS device, -- of the file, major:minor
  (e.flags >> 4) & 1 AS memfd,                    -- 1 when the file lives only in memory: memfd_create(2)
  (e.flags >> 5) & 1 AS deleted,                  -- 1 when the file had been deleted
  e.old_tid AS old_tid,                           -- thread that called, when it was not the first one
  CASE WHEN e.result = 0 THEN 'ok' ELSE coalesce(en.name, 'E' || -e.result) END AS result, -- ok, or the name of the error
  e.time AS time_us,                              -- time, microseconds
  e.comm AS comm_id,                              -- comm: id in comms
  e.filename AS filename_id,                      -- filename: id in paths
  e.exe AS exe_id,                                -- exe: id in paths
  e.argv AS args_id,                              -- args: id in arguments
  e.cgroup AS cgroup_id,                          -- cgroup, unit, container: id in cgroups
  coalesce(px.comm, parent.comm) AS parent_comm_id, -- parent_comm: id in comms
  coalesce(px.exe, parent.exe) AS parent_exe_id,  -- parent_exe: id in paths
  p.parent_exec AS parent_exec_id,                -- exec of the file that its parent ran when it forked, NULL: not seen
  nullif(-e.result, 0) AS errno                   -- number of the error of a refused one, NULL: not refused
FROM exec e
JOIN process p ON p.id = e.process
LEFT JOIN comm c ON c.id = e.comm
LEFT JOIN process parent ON parent.id = p.parent
LEFT JOIN comm pc ON pc.id = parent.comm
LEFT JOIN path pe ON pe.id = parent.exe
LEFT JOIN exec px ON px.id = p.parent_exec
LEFT JOIN comm pec ON pec.id = px.comm
LEFT JOIN path pee ON pee.id = px.exe
LEFT JOIN path fn ON fn.id = e.filename
LEFT JOIN path exe ON exe.id = e.exe
LEFT JOIN path it ON it.id = e.interp
LEFT JOIN argv a ON a.id = e.argv
LEFT JOIN path cwd ON cwd.id = e.cwd
LEFT JOIN cgroup g ON g.id = e.cgroup
LEFT JOIN errno_name en ON en.errno = -e.result;

CREATE VIEW signals AS -- one row per signal to one process, and per refused or probing call; identical ones are counted
SELECT
  s.id AS id,                                     -- of the row
  strftime('%Y-%m-%dT%H:%M:%S', s.time / 1000000, 'unixepoch') || printf('.%06dZ', s.time % 1000000) AS time, -- when; of the first, if counted
  strftime('%Y-%m-%dT%H:%M:%S', coalesce(s.last_time, s.time) / 1000000, 'unixepoch')
    || printf('.%06dZ', coalesce(s.last_time, s.time) % 1000000) AS last_time, -- of the last
  s.count AS count,                               -- how many identical ones this row stands for
  CASE WHEN s.sig = 0 THEN '0' ELSE coalesce(sn.name, CAST(s.sig AS TEXT)) END AS signal, -- name
  s.sig AS sig,                                   -- number
  s.sender AS sender_id,                          -- sender: id; NULL when no process sent it
  sp.pid AS sender_pid,                           -- sender: process id
  sc.comm AS sender_comm,                         -- sender: command name at that time
  s.sender_uid AS sender_uid,                     -- sender: real user id at that time
  s.sender_tid AS sender_tid,                     -- sender: thread
  s.target AS target_id,                          -- target: id; NULL when there was none
  tp.pid AS target_pid,                           -- target: process id
  tc.comm AS target_comm,                         -- target: command name at that time
  s.target_tid AS target_tid,                     -- thread it was aimed at, NULL: at the process
  m.name AS mechanism,                            -- how it came about: mechanism_name
  s.call AS call_id,                              -- the same for all targets of one call
  coalesce(o.name, en.name, 'E' || -s.outcome) AS outcome, -- delivered, ignored, pending, probe, …, or the name of the error
  d.name AS disposition,                          -- what the target would do with it: default, ignored, handled, blocked
  s.target_arg AS target_arg,                     -- target as the sender named it: pid in its namespace, group, descriptor
  s.code AS code,                                 -- si_code
  s.syscall AS syscall,                           -- number of the system call in progress
  s.sender_exec AS sender_exec_id,                -- what the sender was running then
  s.time AS time_us,                              -- time, microseconds
  coalesce(s.last_time, s.time) AS last_time_us,  -- last_time, microseconds
  s.dying AS dying_id,                            -- process whose end made the kernel send it: a hang-up, a parent's death; NULL: none
  s.sender_comm AS sender_comm_id,                -- sender_comm: id in comms
  s.target_comm AS target_comm_id,                -- target_comm: id in comms
  CASE WHEN s.outcome < 0 THEN -s.outcome END AS errno -- number of the error of a refused call, NULL: not refused
FROM signal s
LEFT JOIN mechanism_name m ON m.id = s.mechanism
LEFT JOIN signal_name sn ON sn.sig = s.sig
LEFT JOIN process sp ON sp.id = s.sender
LEFT JOIN comm sc ON sc.id = s.sender_comm
LEFT JOIN process tp ON tp.id = s.target
LEFT JOIN comm tc ON tc.id = s.target_comm
LEFT JOIN outcome_name o ON o.id = s.outcome
LEFT JOIN errno_name en ON en.errno = -s.outcome
LEFT JOIN disposition_name d ON d.id = s.disposition;

CREATE VIEW deliveries AS -- one row per lethal signal that took effect: a handler ran, or the default action followed; identical ones are counted
SELECT
  d.id AS id,                                     -- of the row
  strftime('%Y-%m-%dT%H:%M:%S', d.time / 1000000, 'unixepoch') || printf('.%06dZ', d.time % 1000000) AS time, -- when; of the first, if counted
  strftime('%Y-%m-%dT%H:%M:%S', coalesce(d.last_time, d.time) / 1000000, 'unixepoch')
    || printf('.%06dZ', coalesce(d.last_time, d.time) % 1000000) AS last_time, -- of the last
  d.count AS count,                               -- how many identical ones this row stands for
  coalesce(sn.name, CAST(d.sig AS TEXT)) AS signal, -- name
  d.sig AS sig,                                   -- number
  d.process AS process_id,                        -- process that it took effect on: id
  p.pid AS pid,                                   -- process that it took effect on: process id
  c.comm AS comm,                                 -- process that it took effect on: command name, the last one known
  d.tid AS tid,                                   -- thread that took it, NULL: the first one
  CASE d.action WHEN 0 THEN 'default' ELSE 'handled' END AS action, -- handled: a handler ran; default: the default action
  m.name AS mechanism,                            -- how it came about, as far as its code tells; NULL: a process may have sent it
  d.code AS code,                                 -- si_code
  d.from_pid AS from_pid,                         -- si_pid: process that signed it, as numbered in the pid namespace of the target
  d.from_uid AS from_uid,                         -- si_uid: its real user id
  d.time AS time_us,                              -- time, microseconds
  coalesce(d.last_time, d.time) AS last_time_us   -- last_time, microseconds
FROM delivery d
JOIN process p ON p.id = d.process
LEFT JOIN comm c ON c.id = p.comm
LEFT JOIN signal_name sn ON sn.sig = d.sig
LEFT JOIN mechanism_name m ON m.id = d.mechanism;

CREATE VIEW exits AS -- one row per process that ended and was seen to end
SELECT
  p.id AS process_id,                             -- of the process
  p.ended AS time,                                -- when
  p.pid AS pid,                                   -- process id
  p.comm AS comm,                                 -- command name
  p.cmdline AS cmdline,                           -- arguments, shell-quoted
  p.uid AS uid,                                   -- real user id
  p.exit_code AS exit_code,                       -- exit status, NULL when a signal ended it
  p.exit_signal AS exit_signal,                   -- number of the signal that ended it, NULL when it exited
  sn.name AS signal,                              -- name of that signal
  p.core_dumped AS core_dumped,                   -- 1 when the kernel dumped core
  p.duration_ms AS duration_ms,                   -- life time in milliseconds
  p.ppid AS ppid,                                 -- parent at creation: process id
  p.parent_comm AS parent_comm,                   -- parent at creation: command name
  p.unit AS unit,                                 -- systemd unit
  p.container AS container,                       -- container id
  p.ended_us AS time_us,                          -- time, microseconds
  p.comm_id AS comm_id,                           -- comm: id in comms
  p.exe_id AS exe_id,                             -- file that it executed: id in paths
  p.cgroup_id AS cgroup_id                        -- unit, container: id in cgroups
FROM processes p
LEFT JOIN signal_name sn ON sn.sig = p.exit_signal
WHERE p.ended_us IS NOT NULL;

CREATE VIEW kills AS -- one row per violent death: a process that a signal ended, and the signal that did it
SELECT
  p.id AS process_id,                             -- of the process that died
  p.ended AS time,                                -- when it ended
  p.pid AS pid,                                   -- process id
  p.comm AS comm,                                 -- command name
  p.cmdline AS cmdline,                           -- arguments, shell-quoted
  p.uid AS uid,                                   -- real user id
  sn.name AS signal,                              -- signal that ended it
  CASE WHEN p.exit_signal = 9 AND s.value ->> 'sender_id' IS NULL
      AND EXISTS (SELECT 1 FROM oom_kill o WHERE o.victim = p.id AND o.time <= p.ended_us) THEN 'oom'
    ELSE coalesce(s.value ->> 'mechanism', d.value ->> 'mechanism') END AS mechanism, -- how that came about; NULL when it was not recorded
  s.value ->> 'sender_id' AS killer_id,           -- who sent it: id; NULL when no process did
  s.value ->> 'sender_pid' AS killer_pid,         -- who sent it: process id
  s.value ->> 'sender_comm' AS killer_comm,       -- who sent it: command name at that time
  coalesce((SELECT cmdline FROM execs WHERE id = s.value ->> 'sender_exec_id'),
    (SELECT cmdline FROM processes WHERE id = s.value ->> 'sender_id')) AS killer_cmdline, -- who sent it: arguments at that time
  s.value ->> 'sender_uid' AS killer_uid,         -- who sent it: real user id
  round((p.ended_us - (s.value ->> 'reached')) / 1000.0, 3) AS delay_ms, -- from the signal to the end
  CASE
    WHEN s.value IS NULL AND d.value ->> 'mechanism' IS NULL AND NOT (p.exit_signal = 9
      AND EXISTS (SELECT 1 FROM oom_kill o WHERE o.victim = p.id AND o.time <= p.ended_us)) THEN 'incomplete'
    WHEN p.ended_us < (SELECT min(started) FROM recording) THEN 'consistent'
    WHEN EXISTS (SELECT 1 FROM coverage v WHERE v.kind IN ('down', 'lost', 'malformed', 'shed')
      AND (v.event IS NULL OR v.event IN ('signal', 'exit'))
      AND v.from_time <= p.ended_us AND v.to_time >= min(coalesce(s.value ->> 'reached', p.ended_us), p.ended_us - 1000000)) THEN 'consistent'
    ELSE 'proven' END AS confidence,              -- proven; consistent: something was lost nearby; incomplete: no cause recorded
  s.value ->> 'id' AS signal_id,                  -- of the row in signals that is the cause
  p.ended_us AS time_us                           -- time, microseconds
FROM processes p
-- The cause in one piece: a join would read all signals where the recording has several segments.
LEFT JOIN json_each((SELECT json_array(json_object('id', id, 'mechanism', mechanism, 'sender_id', sender_id,
    'sender_pid', sender_pid, 'sender_comm', sender_comm, 'sender_uid', sender_uid,
    'sender_exec_id', sender_exec_id, 'reached', reached))
  FROM (SELECT id, mechanism, sender_id, sender_pid, sender_comm, sender_uid, sender_exec_id, time_us, min(last_time_us, p.ended_us) reached,
      -- a pending one found the same signal waiting and was dropped: the one that waited is the cause
      outcome = 'pending' was_dropped, coalesce(disposition, '') = 'handled' had_handler
    FROM signals
    WHERE target_id = p.id AND sig = p.exit_signal AND outcome IN ('delivered', 'delivered-bare', 'pending')
      -- one with a handler did it only if that was taken away before it could run, as by an exec
      AND (NOT had_handler OR outcome = 'delivered' AND EXISTS (SELECT 1 FROM deliveries f WHERE f.process_id = p.id AND f.sig = p.exit_signal
        AND f.action = 'default' AND f.from_pid = sender_pid AND f.last_time_us >= signals.time_us))
      AND time_us <= p.ended_us
    ORDER BY had_handler, was_dropped, reached DESC, time_us DESC, id DESC LIMIT 1))) s
-- What the signal told when it took effect: some that interrupts send are not seen being sent.
LEFT JOIN json_each((SELECT json_array(json_object('mechanism', mechanism))
  FROM (SELECT mechanism, id FROM deliveries WHERE process_id = p.id AND sig = p.exit_signal AND action = 'default'
    ORDER BY id DESC LIMIT 1))) d
LEFT JOIN signal_name sn ON sn.sig = p.exit_signal
WHERE p.exit_signal IS NOT NULL;

CREATE VIEW oom_kills AS -- one row per victim that the kernel chose for want of memory
SELECT
  o.id AS id,                                     -- of the row
  strftime('%Y-%m-%dT%H:%M:%S', o.time / 1000000, 'unixepoch') || printf('.%06dZ', o.time % 1000000) AS time, -- when it was chosen
  o.victim AS victim_id,                          -- victim: id
  p.pid AS victim_pid,                            -- victim: process id
  p.comm AS victim_comm,                          -- victim: command name
  p.cmdline AS victim_cmdline,                    -- victim: arguments, shell-quoted
  o.trigger AS trigger_id,                        -- process whose allocation failed: id
  t.pid AS trigger_pid,                           -- process whose allocation failed: process id
  tc.comm AS trigger_comm,                        -- process whose allocation failed: command name
  mp.path AS memory_cgroup,                       -- cgroup of the victim in the hierarchy of the memory controller
  o.oom_score_adj AS oom_score_adj,               -- of the victim
  o.time AS time_us,                              -- time, microseconds
  o.anon_kb AS anon_kb,                           -- resident anonymous memory of the victim when it was chosen, KiB, as the kernel log has it
  o.file_kb AS file_kb,                           -- resident pages of files, KiB
  o.shmem_kb AS shmem_kb,                         -- resident shared memory, KiB
  o.anon_kb + o.file_kb + o.shmem_kb AS rss_kb    -- all of its resident memory, KiB; NULL: it had none any more, or a recorder older than this
FROM oom_kill o
JOIN processes p ON p.id = o.victim
LEFT JOIN process t ON t.id = o.trigger
LEFT JOIN comm tc ON tc.id = t.comm
LEFT JOIN path mp ON mp.id = o.memory_cgroup;

CREATE VIEW recordings AS -- one row per run of the recorder
SELECT
  r.id AS id,                                     -- of the run
  strftime('%Y-%m-%dT%H:%M:%S', r.started / 1000000, 'unixepoch') || printf('.%06dZ', r.started % 1000000) AS started, -- all probes attached
  strftime('%Y-%m-%dT%H:%M:%S', r.ended / 1000000, 'unixepoch') || printf('.%06dZ', r.ended % 1000000) AS ended, -- NULL: runs still, or was killed
  strftime('%Y-%m-%dT%H:%M:%S', r.updated / 1000000, 'unixepoch') || printf('.%06dZ', r.updated % 1000000) AS updated, -- last sign of life
  r.ending AS ending,                             -- stopped, interrupted, finished, failed; NULL: runs still, or was killed
  r.host AS host,                                 -- name of the machine
  b.boot_id AS boot_id,                           -- boot of the machine
  r.kernel AS kernel,                             -- its kernel
  r.version AS version,                           -- of snooprec
  r.pid AS pid,                                   -- of the recorder
  r.scope AS scope,                               -- what was recorded: machine, cgroup …, tree …
  r.options AS options,                           -- options, JSON
  r.probes AS probes,                             -- probes, JSON: name, attached, reason
  r.seen AS seen,                                 -- records that the kernel had to write
  r.stored AS stored,                             -- of these, stored as a row of their own
  r.folded AS folded,                             -- of these, counted in an identical row
  r.lost AS lost,                                 -- of these, not written for want of room
  r.malformed AS malformed,                       -- of these, not decodable
  r.shed AS shed,                                 -- of these, not stored
  r.started AS started_us,                        -- started, microseconds
  r.updated AS updated_us,                        -- updated, microseconds
  r.ended AS ended_us                             -- ended, microseconds
FROM recording r JOIN boot b ON b.id = r.boot;

CREATE VIEW coverages AS -- the ledger: one row per span that was recorded, and per gap in it
SELECT
  'recorded' AS kind,                             -- recorded, down, lost, malformed, shed, clock; dropped: older segments are gone
  strftime('%Y-%m-%dT%H:%M:%S', r.started / 1000000, 'unixepoch') || printf('.%06dZ', r.started % 1000000) AS from_time, -- start of the span
  strftime('%Y-%m-%dT%H:%M:%S', coalesce(r.ended, r.updated) / 1000000, 'unixepoch')
    || printf('.%06dZ', coalesce(r.ended, r.updated) % 1000000) AS to_time, -- end of the span
  NULL AS event,                                  -- event type, NULL: all
  NULL AS lane,                                   -- lane, NULL: both
  r.seen AS count,                                -- records
  'recorded by process ' || r.pid || ', scope ' || r.scope AS cause, -- one sentence
  r.id AS recording_id,                           -- of the run
  r.started AS from_us,                           -- from_time, microseconds
  coalesce(r.ended, r.updated) AS to_us,          -- to_time, microseconds
  NULL AS id                                      -- of the gap, NULL: it is a span that was recorded, or has no row
FROM recording r
UNION ALL
SELECT v.kind,
  strftime('%Y-%m-%dT%H:%M:%S', v.from_time / 1000000, 'unixepoch') || printf('.%06dZ', v.from_time % 1000000),
  strftime('%Y-%m-%dT%H:%M:%S', v.to_time / 1000000, 'unixepoch') || printf('.%06dZ', v.to_time % 1000000),
  v.event, v.lane, v.count, v.cause, v.recording, v.from_time, v.to_time, v.id
FROM coverage v;

CREATE VIEW uid_counts AS -- one row per user and span of about two seconds: system calls made (--count-syscalls)
SELECT
  c.id AS id,                                     -- of the row
  strftime('%Y-%m-%dT%H:%M:%S', c.from_time / 1000000, 'unixepoch') || printf('.%06dZ', c.from_time % 1000000) AS from_time, -- start of the span
  strftime('%Y-%m-%dT%H:%M:%S', c.to_time / 1000000, 'unixepoch') || printf('.%06dZ', c.to_time % 1000000) AS to_time, -- end of the span
  c.uid AS uid,                                   -- real user id
  u.name AS user,                                 -- its name on that machine
  c.count AS count,                               -- system calls of all its processes
  c.from_time AS from_us,                         -- from_time, microseconds
  c.to_time AS to_us                              -- to_time, microseconds
FROM uid_syscalls c
LEFT JOIN user_name u ON u.uid = c.uid;

-- Texts are stored once. Who looks for one among millions of rows finds its id here first, and then compares numbers.

CREATE VIEW comms AS -- one row per distinct command name
SELECT
  c.id AS id,                                     -- what the columns comm_id, sender_comm_id, … refer to
  c.comm AS comm                                  -- command name, at most 15 bytes
FROM comm c;

CREATE VIEW paths AS -- one row per distinct path
SELECT
  t.id AS id,                                     -- what the columns exe_id, filename_id, … refer to
  t.path AS path                                  -- path of a file or directory
FROM path t;

CREATE VIEW arguments AS -- one row per distinct argument vector
SELECT
  a.id AS id,                                     -- what the columns args_id refer to
  a.args AS args,                                 -- arguments, a JSON array
  (SELECT group_concat(CASE WHEN value = '' OR value GLOB '*[^-A-Za-z0-9_@%+=:,./]*'
      THEN '''' || replace(value, '''', '''\''''') || '''' ELSE value END, ' ')
    FROM json_each(a.args)) AS cmdline,           -- arguments, quoted so that a shell would read them back
  a.bytes AS bytes                                -- length of all arguments in the process, every NUL counted
FROM argv a;

CREATE VIEW cgroups AS -- one row per cgroup that held a process
SELECT
  g.id AS id,                                     -- what the columns cgroup_id refer to
  g.path AS path,                                 -- path below the mount point
  g.unit AS unit,                                 -- systemd unit, from the path
  g.container AS container                        -- container id, from the path
FROM cgroup g;

CREATE VIEW signal_names AS -- one row per signal that Linux has
SELECT
  n.sig AS sig,                                   -- number
  n.name AS name,                                 -- name
  n.default_action AS default_action,             -- what it does to a process without a handler: terminate, core, stop, continue, ignore
  n.meaning AS meaning                            -- what it is for
FROM signal_name n;
