/** What was executed, by whom, with which arguments. */

import { commIds, GROUP, GROUP_IDS, IN_GROUP, pathIds } from '../filters.js';
import { defineQuery } from '../query.js';

const SELECT = `
SELECT id, time, pid, process_id, comm, ppid, parent_id, parent_comm, parent_exe, filename, exe, interpreter, args,
  cmdline, args_truncated, args_bytes, cwd, uid, euid, gid, egid, loginuid, session, tty, cgroup, unit, container,
  inode, device, memfd, deleted, old_tid, result, time_us
FROM execs`;
const TEXTS = [
  GROUP_IDS,
  pathIds('binary', 'binary'),
  commIds('binary'),
  pathIds('parent', 'parent_name'),
  commIds('parent'),
  `args_ids AS MATERIALIZED (SELECT id FROM arguments WHERE instr(args, :args_piece) > 0 AND cmdline GLOB :args)`,
].join(',\n');
const FILTER = `(:since IS NULL OR time_us >= :since) AND (:until IS NULL OR time_us <= :until)
  AND (:uid IS NULL OR uid = :uid)
  AND (:failed IS NULL OR errno IS NOT NULL)
  AND (:memfd IS NULL OR memfd = 1)
  AND (:deleted IS NULL OR deleted = 1)
  AND (:binary IS NULL OR exe_id IN (SELECT id FROM binary_paths) OR filename_id IN (SELECT id FROM binary_paths)
    OR comm_id IN (SELECT id FROM binary_comms))
  AND (:args IS NULL OR args_id IN (SELECT id FROM args_ids))
  AND ${IN_GROUP}
  AND (:parent_name IS NULL OR parent_comm_id IN (SELECT id FROM parent_comms)
    OR parent_exe_id IN (SELECT id FROM parent_paths))`;
const byParent = `
WITH ${TEXTS},
process_ids AS MATERIALIZED (SELECT id FROM processes WHERE pid = :parent_pid),
exec_ids AS MATERIALIZED (SELECT id FROM execs WHERE parent_id IN (SELECT id FROM process_ids) AND ${FILTER}
  ORDER BY id DESC LIMIT :limit)
${SELECT}
WHERE id IN (SELECT id FROM exec_ids)`;

export const execs = defineQuery({
  name: 'execs',
  summary: 'what was executed, with which arguments',
  why: 'Lists every execve(2) and execveat(2), refused ones too: the file, all arguments, the directory, the user, and what the parent was when it forked.',
  examples: [
    { command: 'snoopq execs --binary curl', doc: 'every run of curl, from whatever directory' },
    { command: "snoopq execs --args '--password' --since today", doc: 'command lines that hold --password' },
    { command: 'snoopq execs --memfd', doc: 'programs that were never a file' },
    { command: 'snoopq execs --parent cron --failed', doc: 'what cron tried to run and could not' },
  ],
  args: [],
  options: [
    {
      name: 'binary',
      flags: '--binary <name|path>',
      kind: 'program',
      doc: 'this program: base name or full path of the file, or command name',
    },
    {
      name: 'args',
      flags: '--args <pattern>',
      kind: 'pattern',
      doc: 'command lines that hold this text, or match this glob as a whole',
    },
    { name: 'parent', flags: '--parent <pid|name>', kind: 'process', doc: 'started by this process' },
    { name: 'uid', flags: '--uid <user>', kind: 'uid', doc: 'run by this user' },
    { name: 'failed', flags: '--failed', kind: 'flag', doc: 'only refused ones' },
    {
      name: 'memfd',
      flags: '--memfd',
      kind: 'flag',
      doc: 'only of files that live in memory: memfd_create(2)',
    },
    { name: 'deleted', flags: '--deleted', kind: 'flag', doc: 'only of files that had been deleted' },
    ...GROUP,
  ],
  views: ['execs'],
  events: ['exec'],
  sought: 'execs',
  sql: `WITH ${TEXTS}
${SELECT}
WHERE id BETWEEN :first_id AND :last_id AND (:parent_pid IS NULL OR ppid = :parent_pid) AND ${FILTER}`,
  variants: [{ given: 'parent_pid', sql: byParent }],
  grows: 'exec',
  order: { by: 'id', first: 'oldest' },
  columns: {
    id: 'id',
    time: 'time',
    pid: 'pid',
    process_id: 'id',
    comm: 'name',
    ppid: 'pid',
    parent_id: 'id',
    parent_comm: 'name',
    parent_exe: 'path',
    filename: 'path',
    exe: 'path',
    interpreter: 'path',
    args: 'args',
    cmdline: 'cmdline',
    args_truncated: 'flag',
    args_bytes: 'bytes',
    cwd: 'path',
    uid: 'uid',
    euid: 'uid',
    gid: 'uid',
    egid: 'uid',
    loginuid: 'uid',
    session: 'number',
    tty: 'name',
    cgroup: 'path',
    unit: 'name',
    container: 'name',
    inode: 'number',
    device: 'name',
    memfd: 'flag',
    deleted: 'flag',
    old_tid: 'pid',
    result: 'name',
    time_us: 'number',
  },
  shown: ['time', 'pid', 'ppid', 'parent_comm', 'uid', 'result', 'filename', 'cmdline'],
});
