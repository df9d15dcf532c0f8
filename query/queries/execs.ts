/** What was executed, by whom, with which arguments. */

import { defineQuery } from '../query.js';

export const execs = defineQuery({
  name: 'execs',
  summary: 'what was executed, with which arguments',
  why: 'Lists every execve(2) and execveat(2), refused ones too: the file, all arguments, the directory, the user, and what the parent was when it forked.',
  examples: [
    { command: 'snoopq execs --binary curl', doc: 'every run of curl, from whatever directory' },
    { command: "snoopq execs --args '--password' --since today", doc: 'command lines that hold --password' },
    { command: 'snoopq execs --parent cron --failed', doc: 'what cron tried to run and could not' },
  ],
  args: [],
  options: [
    {
      name: 'binary',
      flags: '--binary <name|path>',
      kind: 'text',
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
  ],
  events: ['exec'],
  sought: 'execs',
  sql: `
SELECT id, time, pid, process_id, comm, ppid, parent_id, parent_comm, parent_exe, filename, exe, interpreter, args,
  cmdline, args_truncated, args_bytes, cwd, uid, euid, gid, egid, loginuid, session, tty, cgroup, unit, container,
  inode, device, memfd, deleted, old_tid, result, time_us
FROM execs
WHERE id BETWEEN :first_id AND :last_id
  AND (:since IS NULL OR time_us >= :since) AND (:until IS NULL OR time_us <= :until)
  AND (:uid IS NULL OR uid = :uid)
  AND (:failed IS NULL OR result <> 'ok')
  AND (:parent_pid IS NULL OR ppid = :parent_pid)
  AND (:parent_name IS NULL OR parent_comm = substr(:parent_name, 1, 15) OR parent_exe = :parent_name
    OR substr(parent_exe, -length(:parent_name) - 1) = '/' || :parent_name)
  AND (:binary IS NULL OR exe = :binary OR filename = :binary OR comm = :binary
    OR substr(exe, -length(:binary) - 1) = '/' || :binary OR substr(filename, -length(:binary) - 1) = '/' || :binary)
  AND (:args IS NULL OR cmdline GLOB :args)`,
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
