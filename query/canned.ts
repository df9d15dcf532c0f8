/**
 * The main questions as plain SQL on the views, for tools that know only SQL. Parameters come as text, as a form in a
 * browser sends them, and what is left empty comes as ''.
 */

export interface Canned {
  /** Its address: letters and hyphens. */
  name: string;
  /** What one asks. */
  title: string;
  /** What to fill in, and what the answer means. */
  doc: string;
  /** Named parameters, in the order in which they are asked for. */
  params: readonly string[];
  sql: string;
}

/** For each pid that was given: a pid comes again, so all that bore it. */
const OF_PID = '(SELECT id FROM processes WHERE pid = CAST(:pid AS INTEGER))';
const LAST_OF_PID = '(SELECT id FROM processes WHERE pid = CAST(:pid AS INTEGER) ORDER BY id DESC LIMIT 1)';
const SINCE_DOC = 'since: a time in UTC such as 2026-11-21 14:00, or empty for all';

/** From :since on, where it is given. */
const since = (column: string): string =>
  `${column} >= coalesce(strftime('%s', nullif(:since, '')) * 1000000, 0)`;

export const CANNED: readonly Canned[] = [
  {
    name: 'who-killed',
    title: 'Who killed it?',
    doc: 'pid: of the process that died. One row for each that bore it and died violently, the last first. snoopq who-killed tells more: on whose behalf, and what led to it.',
    params: ['pid'],
    sql: `SELECT time, pid, comm, cmdline, signal, mechanism, killer_pid, killer_comm, killer_cmdline, killer_uid, delay_ms,
  confidence, signal_id, process_id
FROM kills
WHERE pid = CAST(:pid AS INTEGER)
ORDER BY time_us DESC`,
  },
  {
    name: 'who-killed-name',
    title: 'Who killed the processes of this name?',
    doc: 'name: of the command, such as nginx. The last hundred violent deaths.',
    params: ['name'],
    sql: `SELECT time, pid, comm, signal, mechanism, killer_pid, killer_comm, killer_cmdline, confidence, process_id
FROM kills
WHERE comm = substr(:name, 1, 15)
ORDER BY time_us DESC
LIMIT 100`,
  },
  {
    name: 'killed-by',
    title: 'What did it kill, or try to kill?',
    doc: 'pid: of the sender. Signals that may end a process, refused ones too, and how each target ended.',
    params: ['pid'],
    sql: `SELECT s.time, s.signal, s.target_pid, s.target_comm, s.mechanism, s.outcome, s.disposition, s.count,
  (SELECT ended FROM processes WHERE id = s.target_id) AS target_ended,
  (SELECT exit_signal FROM processes WHERE id = s.target_id) AS target_exit_signal,
  (SELECT exit_code FROM processes WHERE id = s.target_id) AS target_exit_code
FROM signals s
WHERE s.sender_id IN ${OF_PID}
  AND s.sig IN (SELECT sig FROM signal_names WHERE default_action IN ('terminate', 'core'))
ORDER BY s.id DESC
LIMIT 1000`,
  },
  {
    name: 'why-exit',
    title: 'Which of its children failed or died?',
    doc: 'pid: of the process that ended with 137, 143 or another status. Shells and container runtimes exit with 128 + n for a child that signal n ended.',
    params: ['pid'],
    sql: `SELECT c.ended, c.pid, c.comm, c.cmdline, c.exit_code, c.exit_signal,
  (SELECT killer_pid FROM kills WHERE process_id = c.id) AS killer_pid,
  (SELECT killer_comm FROM kills WHERE process_id = c.id) AS killer_comm,
  (SELECT mechanism FROM kills WHERE process_id = c.id) AS mechanism
FROM processes c
WHERE c.parent_id IN ${OF_PID} AND (c.exit_signal IS NOT NULL OR c.exit_code <> 0)
ORDER BY c.ended_us DESC
LIMIT 1000`,
  },
  {
    name: 'signals-to',
    title: 'What was sent to it?',
    doc: 'pid: of the target. Refused attempts and probes too.',
    params: ['pid'],
    sql: `SELECT time, signal, sender_pid, sender_comm, sender_uid, mechanism, outcome, disposition, count
FROM signals
WHERE target_id IN ${OF_PID}
ORDER BY id DESC
LIMIT 1000`,
  },
  {
    name: 'who-sends',
    title: 'Who keeps sending this signal to that program?',
    doc: 'name: of the target, such as nginx; signal: such as SIGHUP, or 0 for probes.',
    params: ['name', 'signal'],
    sql: `SELECT sender_comm, sender_pid, sender_uid, sum(count) AS signals, min(time) AS first, max(last_time) AS last
FROM signals
WHERE target_comm_id IN (SELECT id FROM comms WHERE comm = substr(:name, 1, 15)) AND signal = :signal
GROUP BY sender_id, sender_comm
ORDER BY signals DESC
LIMIT 100`,
  },
  {
    name: 'refused',
    title: 'Who tried to signal what it may not?',
    doc: SINCE_DOC,
    params: ['since'],
    sql: `SELECT time, signal, sender_pid, sender_comm, sender_uid, target_pid, target_comm, target_arg, mechanism, outcome, count
FROM signals
WHERE errno IS NOT NULL AND ${since('time_us')}
ORDER BY id DESC
LIMIT 1000`,
  },
  {
    name: 'handled',
    title: 'Did it die of the signal, or handle it?',
    doc: 'pid: of the process. Lethal signals that took effect on it: a handler ran, or the default action followed.',
    params: ['pid'],
    sql: `SELECT time, signal, action, count, from_pid, from_uid, mechanism
FROM deliveries
WHERE process_id IN ${OF_PID}
ORDER BY id DESC
LIMIT 1000`,
  },
  {
    name: 'execs-of',
    title: 'When was this program run, and with which arguments?',
    doc: 'program: base name or full path of the file.',
    params: ['program'],
    sql: `SELECT time, pid, comm, filename, cmdline, cwd, uid, loginuid, ppid, parent_comm, result
FROM execs
WHERE exe_id IN (SELECT id FROM paths WHERE path = :program OR substr(path, -length(:program) - 1) = '/' || :program)
  OR filename_id IN (SELECT id FROM paths WHERE path = :program OR substr(path, -length(:program) - 1) = '/' || :program)
ORDER BY id DESC
LIMIT 1000`,
  },
  {
    name: 'execs-with',
    title: 'Which command lines hold this text?',
    doc: `text: a part of the command line; ${SINCE_DOC}`,
    params: ['text', 'since'],
    sql: `SELECT time, pid, comm, cmdline, cwd, uid, loginuid, ppid, parent_comm, result
FROM execs
WHERE args_id IN (SELECT id FROM arguments WHERE instr(cmdline, :text) > 0) AND ${since('time_us')}
ORDER BY id DESC
LIMIT 1000`,
  },
  {
    name: 'failed-execs',
    title: 'Which programs could not be started?',
    doc: SINCE_DOC,
    params: ['since'],
    sql: `SELECT time, pid, comm, filename, cmdline, cwd, uid, parent_comm, result
FROM execs
WHERE errno IS NOT NULL AND ${since('time_us')}
ORDER BY id DESC
LIMIT 1000`,
  },
  {
    name: 'from-memory',
    title: 'What ran from memory, or from a file that was gone?',
    doc: SINCE_DOC,
    params: ['since'],
    sql: `SELECT time, pid, comm, filename, exe, cmdline, uid, memfd, deleted, parent_comm
FROM execs
WHERE (memfd = 1 OR deleted = 1) AND ${since('time_us')}
ORDER BY id DESC
LIMIT 1000`,
  },
  {
    name: 'parents-of',
    title: 'Which programs start this one, and how often?',
    doc: 'program: base name or full path of the file.',
    params: ['program'],
    sql: `SELECT parent_comm, parent_exe, count(*) AS runs, min(time) AS first, max(time) AS last
FROM execs
WHERE errno IS NULL
  AND exe_id IN (SELECT id FROM paths WHERE path = :program OR substr(path, -length(:program) - 1) = '/' || :program)
GROUP BY parent_comm_id, parent_exe_id
ORDER BY runs DESC
LIMIT 100`,
  },
  {
    name: 'ancestry',
    title: 'Whose child was it?',
    doc: 'pid: of the process; the last that bore it is meant. The nearest first, as they were at its creation.',
    params: ['pid'],
    sql: `WITH RECURSIVE line (depth, id) AS (
  SELECT 0, id FROM processes WHERE id = ${LAST_OF_PID}
  UNION ALL
  SELECT depth + 1, p.parent_id FROM line JOIN processes p ON p.id = line.id WHERE p.parent_id IS NOT NULL AND depth < 100)
SELECT depth, p.pid, p.comm, p.cmdline, p.uid, p.started, p.ended, p.unit, p.container
FROM line JOIN processes p ON p.id = line.id
ORDER BY depth`,
  },
  {
    name: 'tree',
    title: 'What did it start, and how did that end?',
    doc: 'pid: of the process; the last that bore it is meant. All its descendants, by depth.',
    params: ['pid'],
    sql: `WITH RECURSIVE family (depth, id) AS (
  SELECT 0, id FROM processes WHERE id = ${LAST_OF_PID}
  UNION ALL
  SELECT depth + 1, c.id FROM family JOIN processes c ON c.parent_id = family.id WHERE depth < 100
  LIMIT 1000)
SELECT depth, p.pid, p.comm, p.cmdline, p.ppid, p.started, p.ended, p.exit_code, p.exit_signal, p.duration_ms
FROM family JOIN processes p ON p.id = family.id
ORDER BY depth, p.started_us`,
  },
  {
    name: 'timeline',
    title: 'What happened to it, in order?',
    doc: 'pid: of the process; the last that bore it is meant.',
    params: ['pid'],
    sql: `WITH whom (id) AS (SELECT ${LAST_OF_PID})
SELECT started AS time, 'start' AS event, comm AS what, ppid AS other_pid, parent_comm AS other_comm, started_us AS time_us
  FROM processes WHERE id IN (SELECT id FROM whom)
UNION ALL
SELECT time, 'exec', cmdline, ppid, parent_comm, time_us FROM execs WHERE process_id IN (SELECT id FROM whom)
UNION ALL
SELECT time, 'signal to it', signal || ' ' || outcome, sender_pid, sender_comm, time_us
  FROM signals WHERE target_id IN (SELECT id FROM whom)
UNION ALL
SELECT time, 'signal from it', signal || ' ' || outcome, target_pid, target_comm, time_us
  FROM signals WHERE sender_id IN (SELECT id FROM whom)
UNION ALL
SELECT ended, 'end', coalesce('signal ' || exit_signal, 'exit ' || exit_code), NULL, NULL, ended_us
  FROM processes WHERE id IN (SELECT id FROM whom) AND ended IS NOT NULL
ORDER BY time_us
LIMIT 5000`,
  },
  {
    name: 'unit',
    title: 'How did the processes of this service end?',
    doc: `unit: of systemd, such as nginx.service; ${SINCE_DOC}`,
    params: ['unit', 'since'],
    sql: `SELECT time, pid, comm, cmdline, exit_code, signal, core_dumped, duration_ms, parent_comm
FROM exits
WHERE cgroup_id IN (SELECT id FROM cgroups WHERE unit = :unit) AND ${since('time_us')}
ORDER BY time_us DESC
LIMIT 1000`,
  },
  {
    name: 'container',
    title: 'How did the processes of this container end?',
    doc: `container: its id, or the first digits of it; ${SINCE_DOC}`,
    params: ['container', 'since'],
    sql: `SELECT time, pid, comm, cmdline, exit_code, signal, core_dumped, duration_ms, parent_comm
FROM exits
WHERE cgroup_id IN (SELECT id FROM cgroups WHERE container <> '' AND substr(container, 1, length(:container)) = :container)
  AND ${since('time_us')}
ORDER BY time_us DESC
LIMIT 1000`,
  },
  {
    name: 'exits-with',
    title: 'What exited with this status?',
    doc: `status: a number, such as 1 or 137; ${SINCE_DOC}`,
    params: ['status', 'since'],
    sql: `SELECT time, pid, comm, cmdline, uid, exit_code, duration_ms, ppid, parent_comm, unit, container
FROM exits
WHERE exit_code = CAST(:status AS INTEGER) AND ${since('time_us')}
ORDER BY time_us DESC
LIMIT 1000`,
  },
  {
    name: 'crashes',
    title: 'What crashed, or dumped core?',
    doc: SINCE_DOC,
    params: ['since'],
    sql: `SELECT time, pid, comm, cmdline, uid, signal, core_dumped, duration_ms, parent_comm, unit, container
FROM exits
WHERE exit_signal IN (SELECT sig FROM signal_names WHERE default_action = 'core') AND ${since('time_us')}
ORDER BY time_us DESC
LIMIT 1000`,
  },
  {
    name: 'out-of-memory',
    title: 'Whom did the kernel kill for want of memory?',
    doc: SINCE_DOC,
    params: ['since'],
    sql: `SELECT time, victim_pid, victim_comm, victim_cmdline, rss_kb, memory_cgroup, trigger_pid, trigger_comm, oom_score_adj
FROM oom_kills
WHERE ${since('time_us')}
ORDER BY id DESC
LIMIT 1000`,
  },
  {
    name: 'top-senders',
    title: 'Who sends most signals?',
    doc: `News of children (SIGCHLD) does not count. ${SINCE_DOC}`,
    params: ['since'],
    sql: `SELECT sender_comm, sum(count) AS signals, sum(count) FILTER (WHERE sig = 9) AS kills,
  sum(count) FILTER (WHERE errno IS NOT NULL) AS refused, min(time) AS first, max(last_time) AS last
FROM signals
WHERE sender_id IS NOT NULL AND sig <> 17 AND ${since('time_us')}
GROUP BY sender_comm_id
ORDER BY signals DESC
LIMIT 50`,
  },
  {
    name: 'top-programs',
    title: 'Which programs are run most?',
    doc: SINCE_DOC,
    params: ['since'],
    sql: `SELECT coalesce(exe, filename) AS program, count(*) AS runs, count(errno) AS failed, min(time) AS first, max(time) AS last
FROM execs
WHERE ${since('time_us')}
GROUP BY coalesce(exe_id, filename_id)
ORDER BY runs DESC
LIMIT 50`,
  },
  {
    name: 'gaps',
    title: 'What was not recorded?',
    doc: 'Spans without a recorder, and records that were lost. Beside any of these an answer may lack something.',
    params: [],
    sql: `SELECT kind, from_time, to_time, event, lane, count, cause
FROM coverages
WHERE kind <> 'recorded'
ORDER BY from_us DESC
LIMIT 1000`,
  },
];
