import assert from 'node:assert/strict';
import { arch } from 'node:process';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { SnoopSenderState } from '../../bpf/wire.gen.js';
import { migrate } from '../../migrations/migrate.js';
import { hasSender, isByDeath, Mechanism, mechanismOf, sendCall } from '../../recorder/mechanism.js';
import { SIG, SYSCALL } from '../../recorder/numbers.js';

const EXITING = SnoopSenderState.EXITING;
const KTHREAD = SnoopSenderState.KTHREAD;
const NS_INIT = SnoopSenderState.NS_INIT;
const BYSTANDER = SnoopSenderState.BYSTANDER;
const CPU_LIMIT = SnoopSenderState.CPU_LIMIT;
const ABRT = 6;
const USR1 = 10;
const TERM = 15;
const SI_KERNEL = 128;
const SI_TKILL = -6;
const SI_QUEUE = -1;
const SI_TIMER = -2;
const NONE = -1;
const GETPPID = 110;

/** The names that people see. */
const NAMES = new Map<number, string>(mechanismNames());

function mechanismNames(): [number, string][] {
  const db = new Database(':memory:');
  migrate(db);
  return db.prepare('SELECT id, name FROM mechanism_name').raw().all() as [number, string][];
}

interface Case {
  sig: number;
  code: number;
  syscall?: number;
  /** Second argument of the call in progress. */
  arg1?: number;
  state?: number;
  pdeathsig?: number;
  self?: boolean;
  oom?: boolean;
}

function of({
  sig,
  code,
  syscall = NONE,
  arg1 = 0,
  state = 0,
  pdeathsig = 0,
  self = false,
  oom = false,
}: Case): Mechanism {
  return mechanismOf(sig, code, syscall, arg1, state, pdeathsig, self, oom);
}

/** Measured on Linux 6.18, DESIGN.md section 3; the numbers of the calls are those of the architecture. */
const MEASURED: [what: string, Case, Mechanism][] = [
  ['kill(2)', { sig: TERM, code: 0, syscall: SYSCALL.kill, arg1: TERM }, Mechanism.kill],
  [
    'kill(2) of itself',
    { sig: TERM, code: 0, syscall: SYSCALL.kill, arg1: TERM, self: true },
    Mechanism.kill,
  ],
  ['tkill(2)', { sig: TERM, code: SI_TKILL, syscall: SYSCALL.tkill, arg1: TERM }, Mechanism.tkill],
  ['tgkill(2)', { sig: TERM, code: SI_TKILL, syscall: SYSCALL.tgkill, arg1: 4711 }, Mechanism.tgkill],
  [
    'abort(3)',
    { sig: ABRT, code: SI_TKILL, syscall: SYSCALL.tgkill, arg1: 4711, self: true },
    Mechanism.tgkill,
  ],
  [
    'sigqueue(3)',
    { sig: USR1, code: SI_QUEUE, syscall: SYSCALL.rt_sigqueueinfo, arg1: USR1 },
    Mechanism.rtSigqueueinfo,
  ],
  [
    'pthread_sigqueue(3)',
    { sig: USR1, code: SI_QUEUE, syscall: SYSCALL.rt_tgsigqueueinfo, arg1: 4711 },
    Mechanism.rtTgsigqueueinfo,
  ],
  [
    'pidfd_send_signal(2)',
    { sig: 9, code: 0, syscall: SYSCALL.pidfd_send_signal, arg1: 9 },
    Mechanism.pidfdSendSignal,
  ],
  [
    'pidfd_send_signal(2) with a siginfo',
    { sig: USR1, code: SI_QUEUE, syscall: SYSCALL.pidfd_send_signal, arg1: USR1 },
    Mechanism.pidfdSendSignal,
  ],
  [
    'pidfd_send_signal(2) to a thread',
    { sig: USR1, code: SI_TKILL, syscall: SYSCALL.pidfd_send_signal, arg1: USR1 },
    Mechanism.pidfdSendSignal,
  ],
  ['cgroup.kill', { sig: SIG.KILL, code: 0, syscall: SYSCALL.write, arg1: 123 }, Mechanism.cgroupKill],
  [
    'cgroup.kill of its own cgroup',
    { sig: SIG.KILL, code: 0, syscall: SYSCALL.write, self: true },
    Mechanism.cgroupKill,
  ],
  [
    'PDEATHSIG by exit_group',
    { sig: TERM, code: 0, syscall: 231, state: EXITING, pdeathsig: TERM },
    Mechanism.pdeathsig,
  ],
  [
    'PDEATHSIG, SI_KERNEL',
    { sig: 9, code: SI_KERNEL, syscall: 231, state: EXITING, pdeathsig: 9 },
    Mechanism.pdeathsig,
  ],
  [
    'PDEATHSIG of a parent that was killed while in kill(2)',
    { sig: 9, code: 0, syscall: SYSCALL.kill, arg1: 9, state: EXITING, pdeathsig: 9 },
    Mechanism.pdeathsig,
  ],
  [
    'the end of a pid namespace',
    { sig: SIG.KILL, code: SI_KERNEL, syscall: 231, state: EXITING | NS_INIT },
    Mechanism.pidnsTeardown,
  ],
  ['SIGPIPE', { sig: SIG.PIPE, code: 0, syscall: SYSCALL.write, arg1: 5, self: true }, Mechanism.sigpipe],
  ['SIGXFSZ', { sig: SIG.XFSZ, code: 0, syscall: SYSCALL.write, arg1: 5, self: true }, Mechanism.rlimit],
  ['SIGSEGV of a bad address', { sig: SIG.SEGV, code: 1, self: true }, Mechanism.fault],
  ['SIGSEGV of a bad permission', { sig: SIG.SEGV, code: 2, self: true }, Mechanism.fault],
  ['SIGSEGV of a non-canonical address', { sig: SIG.SEGV, code: SI_KERNEL, self: true }, Mechanism.fault],
  ['SIGBUS', { sig: SIG.BUS, code: 2, self: true }, Mechanism.fault],
  ['SIGFPE', { sig: SIG.FPE, code: 1, self: true }, Mechanism.fault],
  ['SIGILL', { sig: SIG.ILL, code: 2, self: true }, Mechanism.fault],
  ['SIGTRAP of int3', { sig: SIG.TRAP, code: SI_KERNEL, self: true }, Mechanism.fault],
  ['RLIMIT_CPU', { sig: SIG.XCPU, code: SI_KERNEL, self: true }, Mechanism.rlimit],
  ['alarm(2) that met the idle task', { sig: SIG.ALRM, code: SI_KERNEL, state: KTHREAD }, Mechanism.timer],
  [
    'alarm(2) that met a stranger in a call',
    { sig: SIG.ALRM, code: SI_KERNEL, syscall: GETPPID },
    Mechanism.timer,
  ],
  [
    'alarm(2) that met a stranger in kill(pid, SIGALRM)',
    { sig: SIG.ALRM, code: SI_KERNEL, syscall: SYSCALL.kill, arg1: SIG.ALRM },
    Mechanism.timer,
  ],
  ['setitimer(2), ITIMER_PROF', { sig: SIG.PROF, code: SI_KERNEL, self: true }, Mechanism.timer],
  ['setitimer(2), ITIMER_VIRTUAL', { sig: SIG.VTALRM, code: SI_KERNEL, self: true }, Mechanism.timer],
  ['timer_create(2)', { sig: USR1, code: SI_TIMER, syscall: GETPPID }, Mechanism.timer],
  ['timer_create(2) with SIGKILL', { sig: SIG.KILL, code: SI_TIMER, state: KTHREAD }, Mechanism.timer],
  [
    'timer_create(2) that met a stranger in kill(2)',
    { sig: USR1, code: SI_TIMER, syscall: SYSCALL.kill, arg1: TERM },
    Mechanism.timer,
  ],
  [
    'timer_create(2) that met a stranger in kill(2) with the same signal',
    { sig: USR1, code: SI_TIMER, syscall: SYSCALL.kill, arg1: USR1 },
    Mechanism.timer,
  ],
  [
    'timer_create(2) that met a stranger in tgkill(2)',
    { sig: USR1, code: SI_TIMER, syscall: SYSCALL.tgkill, arg1: 4711 },
    Mechanism.timer,
  ],
  [
    'a timer that interrupts an exiting parent, with the very PDEATHSIG',
    { sig: TERM, code: SI_TIMER, state: EXITING | BYSTANDER, pdeathsig: TERM },
    Mechanism.timer,
  ],
  [
    'a forged SI_TIMER with rt_tgsigqueueinfo(2)',
    { sig: 9, code: SI_TIMER, syscall: SYSCALL.rt_tgsigqueueinfo, arg1: 4711 },
    Mechanism.rtTgsigqueueinfo,
  ],
  [
    'timer_create(2) that interrupts rt_tgsigqueueinfo(2)',
    { sig: USR1, code: SI_TIMER, syscall: SYSCALL.rt_tgsigqueueinfo, state: BYSTANDER },
    Mechanism.timer,
  ],
  [
    'the hard limit of CPU time',
    { sig: SIG.KILL, code: SI_KERNEL, state: CPU_LIMIT, self: true },
    Mechanism.rlimit,
  ],
  [
    'SIGKILL by the kernel for another, by one beyond its CPU time',
    { sig: SIG.KILL, code: SI_KERNEL, state: CPU_LIMIT },
    Mechanism.kernel,
  ],
  [
    'an OOM victim beyond its CPU time',
    { sig: 9, code: SI_KERNEL, state: CPU_LIMIT, self: true, oom: true },
    Mechanism.oom,
  ],
  ['a child that exited', { sig: SIG.CHLD, code: 1, syscall: 231, state: EXITING }, Mechanism.child],
  ['a child that was killed', { sig: SIG.CHLD, code: 2, state: EXITING }, Mechanism.child],
  ['a child that was stopped', { sig: SIG.CHLD, code: 5, syscall: SYSCALL.kill, arg1: 19 }, Mechanism.child],
  ['a child that was continued', { sig: SIG.CHLD, code: 6 }, Mechanism.child],
  [
    'SIGCHLD sent with kill(2)',
    { sig: SIG.CHLD, code: 0, syscall: SYSCALL.kill, arg1: SIG.CHLD },
    Mechanism.kill,
  ],
  [
    '^C while another process writes',
    { sig: SIG.INT, code: SI_KERNEL, syscall: SYSCALL.write },
    Mechanism.tty,
  ],
  ['^C from a kernel worker', { sig: SIG.INT, code: SI_KERNEL, state: KTHREAD }, Mechanism.tty],
  ['^\\', { sig: SIG.QUIT, code: SI_KERNEL, state: KTHREAD }, Mechanism.tty],
  ['^Z', { sig: SIG.TSTP, code: SI_KERNEL, state: KTHREAD }, Mechanism.tty],
  ['hang-up of the terminal', { sig: SIG.HUP, code: SI_KERNEL, syscall: 3 }, Mechanism.tty],
  [
    'hang-up by the end of the session leader',
    { sig: SIG.HUP, code: SI_KERNEL, state: EXITING },
    Mechanism.tty,
  ],
  ['a terminal that changed its size', { sig: SIG.WINCH, code: SI_KERNEL, syscall: 16 }, Mechanism.tty],
  ['an OOM victim, met in a page fault', { sig: SIG.KILL, code: SI_KERNEL, oom: true }, Mechanism.oom],
  [
    'an OOM victim, met in a write(2)',
    { sig: SIG.KILL, code: SI_KERNEL, syscall: SYSCALL.write, oom: true },
    Mechanism.oom,
  ],
  [
    'an OOM victim, met while another exits',
    { sig: SIG.KILL, code: SI_KERNEL, state: EXITING, oom: true },
    Mechanism.oom,
  ],
  ['SIGKILL by the kernel for no known reason', { sig: SIG.KILL, code: SI_KERNEL }, Mechanism.kernel],
  [
    'a kill of an OOM victim by a process',
    { sig: 9, code: 0, syscall: SYSCALL.kill, arg1: 9, oom: true },
    Mechanism.kill,
  ],
  ['seccomp', { sig: SIG.SYS, code: 1, syscall: GETPPID, self: true }, Mechanism.seccomp],
];

for (const [what, facts, expected] of MEASURED) {
  test(`${what} is told as ${NAMES.get(expected)}`, () => {
    assert.equal(NAMES.get(of(facts)), NAMES.get(expected));
  });
}

test('the numbers of the calls are those that were measured', {
  skip: arch !== 'x64' && 'numbers of x86-64',
}, () => {
  const { kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal, write } = SYSCALL;
  assert.deepEqual(
    [kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal, write],
    [62, 200, 234, 129, 297, 424, 1],
  );
});

test('each of the six calls has its mechanism, and no other call has one', () => {
  const named = [
    SYSCALL.kill,
    SYSCALL.tkill,
    SYSCALL.tgkill,
    SYSCALL.rt_sigqueueinfo,
    SYSCALL.rt_tgsigqueueinfo,
  ];
  assert.deepEqual([...named, SYSCALL.pidfd_send_signal].map(sendCall), [1, 2, 3, 4, 5, 6]);
  const others = Array.from({ length: 500 }, (_, nr) => nr).filter(nr => sendCall(nr) !== 0);
  assert.equal(others.length, 6);
  assert.equal(sendCall(NONE), 0);
});

const anyCase: fc.Arbitrary<Required<Case>> = fc.record({
  sig: fc.integer({ min: 1, max: 64 }),
  code: fc.oneof(fc.integer({ min: -8, max: 8 }), fc.constant(SI_KERNEL), fc.integer()),
  syscall: fc.oneof(fc.constantFrom(NONE, ...Object.values(SYSCALL)), fc.integer({ min: 0, max: 460 })),
  arg1: fc.oneof(fc.integer({ min: 0, max: 64 }), fc.integer()),
  state: fc.integer({ min: 0, max: 31 }),
  pdeathsig: fc.integer({ min: 0, max: 64 }),
  self: fc.boolean(),
  oom: fc.boolean(),
});

test('every combination of facts has a mechanism with a name', () => {
  fc.assert(
    fc.property(anyCase, facts => assert.ok(NAMES.has(of(facts)))),
    { numRuns: 5000 },
  );
});

test('a kernel thread is never a sender by a call or by cgroup.kill', () => {
  fc.assert(
    fc.property(anyCase, facts => {
      const mechanism = of({ ...facts, state: KTHREAD });
      assert.equal(hasSender(mechanism), false, NAMES.get(mechanism));
    }),
    { numRuns: 5000 },
  );
});

test('an exiting task is a sender only as a dying parent or a dying init', () => {
  fc.assert(
    fc.property(anyCase, facts => {
      const mechanism = of({ ...facts, state: facts.state | EXITING });
      if (!hasSender(mechanism)) return;
      assert.ok(
        mechanism === Mechanism.pdeathsig || mechanism === Mechanism.pidnsTeardown,
        NAMES.get(mechanism),
      );
    }),
    { numRuns: 5000 },
  );
});

test('whoever only runs while the siginfo was made elsewhere is never a sender', () => {
  fc.assert(
    fc.property(anyCase, facts => {
      assert.equal(hasSender(of({ ...facts, state: facts.state | BYSTANDER })), false);
    }),
    { numRuns: 5000 },
  );
});

test('what the kernel itself signed has no sending process', () => {
  fc.assert(
    fc.property(anyCase, facts => {
      assert.equal(hasSender(of({ ...facts, code: SI_KERNEL, state: 0 })), false);
    }),
    { numRuns: 5000 },
  );
});

test('kill(2), tkill(2) and tgkill(2) are named only with the code that they write', () => {
  const codes = new Map<Mechanism, number>([
    [Mechanism.kill, 0],
    [Mechanism.tkill, SI_TKILL],
    [Mechanism.tgkill, SI_TKILL],
  ]);
  fc.assert(
    fc.property(anyCase, facts => {
      const code = codes.get(of(facts));
      if (code !== undefined) assert.equal(facts.code, code);
    }),
    { numRuns: 5000 },
  );
});

test('an alarm that comes while another process exits is a timer all the same', () => {
  assert.equal(of({ sig: SIG.ALRM, code: SI_KERNEL, syscall: 231, state: EXITING }), Mechanism.timer);
  assert.equal(of({ sig: SIG.XCPU, code: SI_KERNEL, syscall: 231, state: EXITING }), Mechanism.rlimit);
});

test('a death is blamed only for a hang-up, a death signal or a teardown, while the whole process ends', () => {
  const GROUP_ENDS = SnoopSenderState.GROUP_ENDS;
  assert.equal(isByDeath(Mechanism.tty, EXITING | GROUP_ENDS), true);
  assert.equal(isByDeath(Mechanism.pdeathsig, EXITING), false, 'one thread of several');
  assert.equal(isByDeath(Mechanism.tty, EXITING | GROUP_ENDS | BYSTANDER), false, 'a timer interrupted it');
  const state = fc.integer({ min: 0, max: 63 });
  fc.assert(
    fc.property(anyCase, state, (facts, bits) => {
      const mechanism = of({ ...facts, state: bits });
      if (!isByDeath(mechanism, bits)) return;
      assert.ok([Mechanism.tty, Mechanism.pdeathsig, Mechanism.pidnsTeardown].includes(mechanism));
      assert.ok(bits & GROUP_ENDS && !(bits & BYSTANDER));
    }),
    { numRuns: 5000 },
  );
});
