/** How processes ended. */

import { commIds, GROUP, GROUP_IDS, IN_GROUP } from '../filters.js';
import { defineQuery } from '../query.js';

const SELECT = `
SELECT process_id, time, pid, comm, cmdline, uid, exit_code, exit_signal, signal, core_dumped, duration_ms, ppid,
  parent_comm, unit, container, time_us
FROM exits`;
const TEXTS = [GROUP_IDS, commIds('pid')].join(',\n');
const FILTER = `time_us BETWEEN :first_us AND :last_us
  AND (:status IS NULL OR exit_code = :status)
  AND (:signal IS NULL OR exit_signal = :signal)
  AND (:killed IS NULL OR exit_signal IS NOT NULL)
  AND (:core IS NULL OR core_dumped = 1)
  AND (:shorter IS NULL OR duration_ms * 1000 < :shorter)
  AND (:longer IS NULL OR duration_ms * 1000 > :longer)
  AND (:uid IS NULL OR uid = :uid)
  AND (:pid_name IS NULL OR comm_id IN (SELECT id FROM pid_comms))
  AND ${IN_GROUP}`;

export const exits = defineQuery({
  name: 'exits',
  summary: 'how processes ended: status or signal',
  why: 'Lists the ends of processes as wait(2) would report them. A status such as 137 is an exit status here; a process that a signal ended has a signal and no status.',
  examples: [
    { command: 'snoopq exits --signal SEGV --since yesterday', doc: 'crashes since yesterday' },
    { command: 'snoopq exits --status 137', doc: 'wrappers that report a killed child' },
    { command: 'snoopq exits --core', doc: 'ends that dumped core' },
    { command: 'snoopq exits --unit nginx --shorter 1s', doc: 'what nginx started and lost at once' },
  ],
  args: [],
  options: [
    { name: 'status', flags: '--status <n>', kind: 'number', doc: 'exited with this status' },
    { name: 'signal', flags: '--signal <signal>', kind: 'signal', doc: 'ended by this signal' },
    { name: 'killed', flags: '--killed', kind: 'flag', doc: 'ended by any signal' },
    { name: 'core', flags: '--core', kind: 'flag', doc: 'only those that dumped core' },
    { name: 'pid', flags: '--pid <pid|name>', kind: 'process', doc: 'this process' },
    { name: 'shorter', flags: '--shorter <span>', kind: 'span', doc: 'lived for less than this: 100ms, 2s' },
    { name: 'longer', flags: '--longer <span>', kind: 'span', doc: 'lived for more than this: 1h' },
    { name: 'uid', flags: '--uid <user>', kind: 'uid', doc: 'of this user' },
    ...GROUP,
  ],
  views: ['exits'],
  events: ['exit'],
  sought: 'exits',
  sql: `WITH ${TEXTS} ${SELECT} WHERE ${FILTER}`,
  variants: [{ given: 'pid_pid', sql: `WITH ${TEXTS} ${SELECT} WHERE pid = :pid_pid AND ${FILTER}` }],
  grows: 'end',
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
