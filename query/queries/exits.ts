/** How processes ended. */

import { defineQuery } from '../query.js';

export const exits = defineQuery({
  name: 'exits',
  summary: 'how processes ended: status or signal',
  why: 'Lists the ends of processes as wait(2) would report them. A status such as 137 is an exit status here; a process that a signal ended has a signal and no status.',
  examples: [
    { command: 'snoopq exits --signal SEGV --since yesterday', doc: 'crashes since yesterday' },
    { command: 'snoopq exits --status 137', doc: 'wrappers that report a killed child' },
    { command: 'snoopq exits --core', doc: 'ends that dumped core' },
  ],
  args: [],
  options: [
    { name: 'status', flags: '--status <n>', kind: 'number', doc: 'exited with this status' },
    { name: 'signal', flags: '--signal <signal>', kind: 'signal', doc: 'ended by this signal' },
    { name: 'core', flags: '--core', kind: 'flag', doc: 'only those that dumped core' },
    { name: 'pid', flags: '--pid <pid|name>', kind: 'process', doc: 'this process' },
  ],
  events: ['exit'],
  sought: 'exits',
  sql: `
SELECT process_id, time, pid, comm, cmdline, uid, exit_code, exit_signal, signal, core_dumped, duration_ms, ppid,
  parent_comm, unit, container, time_us
FROM exits
WHERE (:since IS NULL OR time_us >= :since) AND (:until IS NULL OR time_us <= :until)
  AND (:status IS NULL OR exit_code = :status)
  AND (:signal IS NULL OR exit_signal = :signal)
  AND (:core IS NULL OR core_dumped = 1)
  AND (:pid_pid IS NULL OR pid = :pid_pid)
  AND (:pid_name IS NULL OR comm = substr(:pid_name, 1, 15))`,
  order: { by: 'time_us', first: 'oldest' },
  columns: {
    process_id: 'id',
    time: 'time',
    pid: 'pid',
    comm: 'name',
    cmdline: 'cmdline',
    uid: 'uid',
    exit_code: 'number',
    exit_signal: 'number',
    signal: 'name',
    core_dumped: 'flag',
    duration_ms: 'milliseconds',
    ppid: 'pid',
    parent_comm: 'name',
    unit: 'name',
    container: 'name',
    time_us: 'number',
  },
  shown: [
    'time',
    'pid',
    'comm',
    'exit_code',
    'signal',
    'core_dumped',
    'duration_ms',
    'ppid',
    'parent_comm',
    'cmdline',
  ],
});
