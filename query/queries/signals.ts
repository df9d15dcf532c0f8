/** Who sent which signal to whom. */

import { commIds, GROUP, GROUP_IDS, inGroup, MEMBER_IDS, newestOfEach } from '../filters.js';
import { defineQuery } from '../query.js';

const FILTER = `(:since IS NULL OR last_time_us >= :since) AND (:until IS NULL OR time_us <= :until)
  AND (:signal IS NULL OR sig = :signal)
  AND (:mechanism IS NULL OR mechanism = :mechanism)
  AND (:outcome IS NULL OR outcome = :outcome)
  AND (:refused IS NULL OR errno IS NOT NULL)
  AND (:uid IS NULL OR sender_uid = :uid)
  AND (:sender_name IS NULL OR sender_comm_id IN (SELECT id FROM sender_comms))
  AND (:target_name IS NULL OR target_comm_id IN (SELECT id FROM target_comms))
  AND ${inGroup('sender_id', 'target_id')}`;
const TEXTS = [GROUP_IDS, MEMBER_IDS, commIds('sender'), commIds('target')].join(',\n');
const SELECT = `
SELECT id, time, last_time, count, signal, sig, sender_id, sender_pid, sender_comm, sender_uid, sender_tid,
  target_id, target_pid, target_comm, target_tid, mechanism, call_id, outcome, disposition, target_arg, code,
  syscall, sender_exec_id, time_us, last_time_us
FROM signals`;
// The ids first: a sorter would otherwise carry all columns of each of a million rows of one busy process. Apart, so that
// they are found once: the rest is one statement for each segment.
const byProcess = (role: 'sender' | 'target', filter: string): string => `
WITH ${TEXTS},
process_ids AS MATERIALIZED (SELECT id FROM processes WHERE pid = :${role}_pid),
signal_ids AS MATERIALIZED (${newestOfEach('signals', 'process_ids', `${role}_id`, filter)})
${SELECT}
WHERE id IN (SELECT id FROM signal_ids)`;
// From the newest on, by + not through the indexes on sender and target: most units have thousands of processes.
const byGroup = `
WITH ${TEXTS},
signal_ids AS MATERIALIZED (SELECT id FROM signals WHERE id BETWEEN :first_id AND :last_id
  AND (+sender_id IN (SELECT id FROM member_ids) OR +target_id IN (SELECT id FROM member_ids)) AND ${FILTER}
  ORDER BY id DESC LIMIT :limit)
${SELECT}
WHERE id IN (SELECT id FROM signal_ids)`;
const byTarget = byProcess('target', `(:sender_pid IS NULL OR sender_pid = :sender_pid) AND ${FILTER}`);
const bySender = byProcess('sender', FILTER);

export const signals = defineQuery({
  name: 'signals',
  summary: 'who sent which signal to whom',
  why: 'Lists signals, refused attempts and existence probes, one row for each real target of a call: a kill of a process group shows every member. Identical signals in quick succession are one row with a count.',
  examples: [
    { command: 'snoopq signals --target 2219', doc: 'all that was sent to pid 2219' },
    { command: "snoopq signals --signal KILL --since '1h ago'", doc: 'every SIGKILL of the last hour' },
    {
      command: 'snoopq signals --unit nginx --since yesterday',
      doc: 'all signals from and to the processes of nginx.service',
    },
    {
      command: 'snoopq signals --sender nginx --refused',
      doc: 'what nginx tried to signal and was not allowed to, or did not find',
    },
  ],
  args: [],
  options: [
    { name: 'sender', flags: '--sender <pid|name>', kind: 'process', doc: 'sent by this process' },
    { name: 'target', flags: '--target <pid|name>', kind: 'process', doc: 'sent to this process' },
    {
      name: 'signal',
      flags: '--signal <signal>',
      kind: 'signal',
      doc: 'this signal: KILL, SIGTERM, 9, RTMIN+1; 0: probes',
    },
    {
      name: 'mechanism',
      flags: '--mechanism <name>',
      kind: 'text',
      vocabulary: 'mechanism',
      doc: 'how it came about: kill, tgkill, fault, oom, timer, …',
    },
    {
      name: 'outcome',
      flags: '--outcome <name>',
      kind: 'text',
      vocabulary: 'outcome',
      doc: 'what became of it: delivered, ignored, pending, probe, EPERM, …',
    },
    { name: 'refused', flags: '--refused', kind: 'flag', doc: 'only calls that the kernel refused' },
    { name: 'uid', flags: '--uid <user>', kind: 'uid', doc: 'sent by this user' },
    ...GROUP,
  ],
  views: ['signals'],
  events: ['signal', 'attempt'],
  sought: 'signals',
  sql: `WITH ${TEXTS} ${SELECT} WHERE id BETWEEN :first_id AND :last_id AND ${FILTER}`,
  grows: 'signal',
  variants: [
    { given: 'target_pid', sql: byTarget },
    { given: 'sender_pid', sql: bySender },
    { given: 'unit', sql: byGroup, isBounded: true },
    { given: 'container', sql: byGroup, isBounded: true },
  ],
  order: { by: 'id', first: 'oldest' },
  columns: {
    id: 'id',
    time: 'time',
    last_time: 'time',
    count: 'count',
    signal: 'name',
    sig: 'number',
    sender_id: 'id',
    sender_pid: 'pid',
    sender_comm: 'name',
    sender_uid: 'uid',
    sender_tid: 'pid',
    target_id: 'id',
    target_pid: 'pid',
    target_comm: 'name',
    target_tid: 'pid',
    mechanism: 'name',
    call_id: 'id',
    outcome: 'name',
    disposition: 'name',
    target_arg: 'number',
    code: 'number',
    syscall: 'number',
    sender_exec_id: 'id',
    time_us: 'number',
    last_time_us: 'number',
  },
  shown: [
    'time',
    'signal',
    'sender_pid',
    'sender_comm',
    'target_pid',
    'target_comm',
    'mechanism',
    'outcome',
    'disposition',
    'count',
  ],
});
