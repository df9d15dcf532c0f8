/** Whom the kernel chose when memory ran out. */

import { GROUP, GROUP_IDS, inGroup, MEMBER_IDS } from '../filters.js';
import { defineQuery } from '../query.js';

export const oom = defineQuery({
  name: 'oom',
  summary: 'whom the kernel killed for want of memory',
  why: "Lists the victims of the kernel's OOM killer: each with the memory that it held (KiB), the cgroup whose limit it was, and the process whose allocation failed, which is not to blame but was there. A SIGKILL from a process such as systemd-oomd or earlyoom is not among them: that is a kill by that process.",
  examples: [
    { command: 'snoopq oom --since yesterday', doc: 'victims since yesterday' },
    { command: 'snoopq oom --unit app --json', doc: 'those of app.service, for a program' },
  ],
  args: [],
  options: [{ name: 'uid', flags: '--uid <user>', kind: 'uid', doc: 'victims of this user' }, ...GROUP],
  views: ['oom_kills'],
  events: ['oom'],
  sought: 'victims of the OOM killer',
  sql: `WITH ${GROUP_IDS},
${MEMBER_IDS}
SELECT id, time, victim_id, victim_pid, victim_comm, victim_cmdline, trigger_id, trigger_pid, trigger_comm, memory_cgroup,
  oom_score_adj, rss_kb, anon_kb, file_kb, shmem_kb, time_us
FROM oom_kills
WHERE (:since IS NULL OR time_us >= :since) AND (:until IS NULL OR time_us <= :until)
  AND (:uid IS NULL OR (SELECT uid FROM processes WHERE id = victim_id) = :uid)
  AND ${inGroup('victim_id')}`,
  order: { by: 'id', first: 'oldest' },
  columns: {
    id: 'id',
    time: 'time',
    victim_id: 'id',
    victim_pid: 'pid',
    victim_comm: 'name',
    victim_cmdline: 'cmdline',
    trigger_id: 'id',
    trigger_pid: 'pid',
    trigger_comm: 'name',
    memory_cgroup: 'path',
    oom_score_adj: 'number',
    rss_kb: 'number',
    anon_kb: 'number',
    file_kb: 'number',
    shmem_kb: 'number',
    time_us: 'number',
  },
  shown: [
    'time',
    'victim_pid',
    'victim_comm',
    'rss_kb',
    'trigger_pid',
    'trigger_comm',
    'memory_cgroup',
    'oom_score_adj',
    'victim_cmdline',
  ],
});
