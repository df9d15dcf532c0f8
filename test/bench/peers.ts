/**
 * What a user would pick instead, as one table: how each is told to record what a workload does, when it is ready, and
 * what it wrote and lost. Each runs as its manual shows it, with its own defaults.
 */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { auditd } from './auditd.js';
import { background, countLines } from './peer.js';
import { type Facts, numbersIn, program, tryCommand } from './programs.js';
import { type Kind, LIMIT, type Subject, type Workload } from './subject.js';

/** A peer that runs in the background, writes into a directory of its own and ends with SIGINT. */
export interface Peer {
  name: string;
  /** Debian's package; null: it is of the bench. */
  package: string | null;
  /** Its arguments for what it is to record; a kind that is missing it cannot record. */
  command: Partial<Record<Kind, (directory: string) => string[]>>;
  /** It records when it holds that many descriptors of this sort. */
  ready: { descriptor: RegExp; count: number };
  /** Share of the events that it lost; `directory` holds stdout, stderr and its files. */
  lost(directory: string, facts: Facts, workload: Workload): number | null;
}

const PERF_EVENT = /^anon_inode:\[perf_event\]/;
const CALLS = ['syscalls:sys_enter_kill', 'syscalls:sys_exit_kill'];
const SIGNALS = ['signal:signal_generate'];
const EXECS = ['sched:sched_process_exec', 'sched:sched_process_fork', 'sched:sched_process_exit'];
const FTRACE_KB = '8192'; // for each processor; snooprec has 20 MiB for all of them
const EVENT_OPTIONS = (events: readonly string[]) => events.flatMap(event => ['-e', event]);

/** The programs of limit.bpf.c on the hooks that snooprec has. */
const HOOKS: Record<Kind, string[]> = {
  calls: ['calls'],
  signals: ['signals', 'others'],
  execs: ['execs', 'forks', 'exits', 'others'],
};

const PEERS: readonly Peer[] = [
  limit('the hooks alone, counting', 'count'),
  limit(LIMIT, 'record'),
  {
    name: 'ftrace, spliced',
    package: null,
    command: {
      calls: directory => [program('ftrace'), directory, FTRACE_KB, ...CALLS],
      signals: directory => [program('ftrace'), directory, FTRACE_KB, ...SIGNALS],
      execs: directory => [program('ftrace'), directory, FTRACE_KB, ...EXECS],
    },
    ready: { descriptor: /\/trace_pipe_raw$/, count: 1 },
    lost(directory) {
      const of = told(directory);
      return of('overrun') / (of('read') + of('left') + of('overrun'));
    },
  },
  {
    name: 'trace-cmd',
    package: 'trace-cmd',
    command: {
      calls: traceCmd(CALLS),
      signals: traceCmd(SIGNALS),
      execs: traceCmd(EXECS),
    },
    ready: { descriptor: /\/trace_pipe_raw$/, count: 1 },
    lost(directory) {
      const report = tryCommand('trace-cmd', 'report', '--stat', '-i', join(directory, 'trace.dat')).stdout;
      const sum = (key: string) =>
        [...report.matchAll(new RegExp(`^${key}: (\\d+)$`, 'gm'))].reduce((all, [, n]) => all + Number(n), 0);
      const lost = sum('overrun');
      return lost / (lost + sum('entries') + sum('read events'));
    },
  },
  {
    name: 'perf record',
    package: 'linux-perf',
    command: {
      calls: perf(CALLS),
      signals: perf(SIGNALS),
      execs: perf(EXECS),
    },
    ready: { descriptor: PERF_EVENT, count: 1 },
    lost(directory) {
      // Events of one kind were as many as of the other: those of the last are as good as all.
      const report = tryCommand('perf', 'report', '--stats', '-i', join(directory, 'perf.data')).stdout;
      const last = (key: string) =>
        Number([...report.matchAll(new RegExp(`^ *${key} events: +(\\d+)`, 'gm'))].at(-1)?.[1] ?? 0);
      const lost = last('LOST_SAMPLES');
      return lost / (lost + last('SAMPLE'));
    },
  },
  {
    name: 'sigsnoop',
    package: 'libbpf-tools',
    command: { calls: () => ['sigsnoop', '-k'], signals: () => ['sigsnoop'] },
    ready: { descriptor: PERF_EVENT, count: 1 },
    lost: (directory, { pid, ops }) => 1 - countLines(directory, `^[0-9:]* +${pid} `) / ops,
  },
  {
    name: 'execsnoop',
    package: 'libbpf-tools',
    command: { execs: () => ['execsnoop'] },
    ready: { descriptor: PERF_EVENT, count: 1 },
    lost: (directory, { ops }) => 1 - countLines(directory, ' child ') / ops,
  },
  {
    name: 'bpftrace',
    package: 'bpftrace',
    command: {
      calls: bpftrace(`
        tracepoint:syscalls:sys_enter_kill { @pid[tid] = args->pid; @sig[tid] = args->sig; }
        tracepoint:syscalls:sys_exit_kill /@pid[tid]/ {
          printf("k %d %s %d %d %d\\n", pid, comm, @pid[tid], @sig[tid], args->ret);
          delete(@pid[tid]); delete(@sig[tid]);
        }`),
      signals: bpftrace(`
        tracepoint:signal:signal_generate {
          printf("k %d %s %d %d %d\\n", pid, comm, args->pid, args->sig, args->result);
        }`),
      execs: bpftrace(`
        tracepoint:syscalls:sys_enter_execve { printf("k %d %s ", pid, comm); join(args->argv); }`),
    },
    ready: { descriptor: PERF_EVENT, count: 3 }, // those of the programs come after the two of its buffer
    lost: (directory, { pid, ops }, { kind }) =>
      1 - countLines(directory, kind === 'execs' ? ' child ' : `^k ${pid} `) / ops,
  },
];

/** Every peer, in the order of the table. */
export const PEER_SUBJECTS: readonly Subject[] = [...PEERS.map(background), auditd];

/** The packages that they come from. */
export const PACKAGES: readonly string[] = [
  ...new Set([...PEERS.flatMap(peer => peer.package ?? []), 'auditd']),
];

/** What a program of the bench told on stdout. */
function told(directory: string): (key: string) => number {
  return numbersIn(readFileSync(join(directory, 'stdout'), 'utf8'));
}

/** No peer, but what nobody who hooks the same can undercut. */
function limit(name: string, way: 'count' | 'record'): Peer {
  const command = (kind: Kind) => () => [program('limit'), way, ...HOOKS[kind]];
  return {
    name,
    package: null,
    command: { calls: command('calls'), signals: command('signals'), execs: command('execs') },
    ready: { descriptor: /^anon_inode:bpf_link/, count: 1 },
    lost(directory) {
      const of = told(directory);
      return of('lost') / of('seen');
    },
  };
}

function perf(events: readonly string[]) {
  return (directory: string) => [
    'perf',
    'record',
    '-q',
    '-a',
    ...EVENT_OPTIONS(events),
    '-o',
    join(directory, 'perf.data'),
  ];
}

function traceCmd(events: readonly string[]) {
  return (directory: string) => [
    'trace-cmd',
    'record',
    '-q',
    ...EVENT_OPTIONS(events),
    '-o',
    join(directory, 'trace.dat'),
  ];
}

function bpftrace(script: string) {
  return () => ['bpftrace', '-e', script];
}

/** Bytes of all files in a directory. */
export function bytesIn(directory: string): number {
  if (!existsSync(directory)) return 0;
  return readdirSync(directory, { withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, { name }) => sum + statSync(join(directory, name)).size, 0);
}
