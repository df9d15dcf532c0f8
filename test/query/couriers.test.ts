/** The rules about couriers, clients and wrappers: the lists are sound, and each rule does what its words say. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CLIENTS, COURIERS } from '../../query/couriers.js';
import {
  climb,
  courierOf,
  matchExec,
  matchesGlob,
  type Names,
  type Program,
  programNames,
  type RecentExec,
} from '../../query/instigator.js';
import { passesOn } from '../../query/status.js';
import type { Process } from '../../query/verdict.js';
import { HABITS } from '../../query/wrappers.js';

const SECOND = 1_000_000;

function program(line: string, exe?: string): Program {
  const args = line.split(' ');
  const [name = ''] = args;
  return {
    args,
    exe: exe ?? `/usr/bin/${name.split('/').at(-1)}`,
    comm: name.split('/').at(-1)?.slice(0, 15) ?? null,
  };
}

function process(pid: number, line: string, exe?: string): Process {
  const rest = {
    started: '',
    ended: null,
    cwd: null,
    uid: 0,
    user: null,
    ppid: null,
    cgroup: null,
    unit: null,
    container: null,
  };
  return { id: pid, pid, ...program(line, exe), ...rest };
}

function exec(line: string, seconds = 1): RecentExec {
  return { id: 1, time: '', time_us: seconds * SECOND, process_id: 7, ...program(line) };
}

const NAMES: Names = {
  pid: 2219,
  comm: 'nginx',
  exe: '/usr/sbin/nginx',
  args: ['nginx: worker'],
  unit: 'nginx.service',
  cgroup: '/system.slice/nginx.service',
  container: null,
  user: 'www',
  uid: 33,
  containerNames: [],
};

test('no program is named by two rules of the couriers, and every rule says what it does', () => {
  const names = COURIERS.flatMap(({ programs }) => programs);
  assert.deepEqual(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  );
  for (const { doc, programs } of COURIERS) {
    assert.match(doc, /^[a-z].*[a-z]$/);
    assert.ok(programs.length > 0);
  }
});

test('every service that a client asks is a courier of that sort, and one that asks none kills by itself', () => {
  for (const { asks = [], programs } of CLIENTS) {
    for (const name of asks) {
      const rule = COURIERS.find(courier => courier.programs.includes(name));
      assert.equal(rule?.will, 'service', `${name}, asked by ${programs[0]}`);
    }
  }
  assert.ok(CLIENTS.some(({ asks, names }) => asks === undefined && names === 'pid'));
});

test('a shell is a courier with -c, and decides for itself at a prompt or in a script', () => {
  const will = (line: string, exe = '/usr/bin/bash') => courierOf(program(line, exe))?.will;
  assert.equal(will('sh -c reboot'), 'relay');
  assert.equal(will('bash -lc reboot'), 'relay');
  assert.equal(will('bash -e -c reboot'), 'relay');
  assert.equal(will('-bash'), undefined);
  assert.equal(will('bash'), undefined);
  assert.equal(will('bash -e /opt/job -c'), undefined, 'an option of the script');
  assert.equal(will('sh /opt/job'), undefined);
});

test('a program is known by its file, which it cannot make up, and only an interpreter by its name', () => {
  assert.deepEqual(programNames({ comm: 'sudo', exe: '/tmp/evil', args: ['sudo', 'kill'] }), ['evil']);
  assert.equal(courierOf({ comm: 'sudo', exe: '/tmp/evil', args: ['sudo'] }), undefined);
  assert.equal(courierOf(program('/usr/bin/supervisord -n', '/usr/bin/python3.11'))?.will, 'service');
  assert.equal(courierOf({ comm: 'kill', exe: '/bin/busybox', args: ['kill', '12'] })?.will, 'relay');
  assert.equal(courierOf({ comm: 'sshd', exe: '/usr/sbin/sshd (deleted)', args: null })?.will, 'service');
  assert.equal(courierOf({ comm: 'sudo', exe: null, args: null })?.will, 'relay');
});

test('the climb ends at the first that decides, and below a service at what that started', () => {
  const line = (...lines: string[]) => climb(lines.map((text, i) => process(100 - i, text)));
  assert.deepEqual(line('pkill x', 'sudo pkill x', 'bash'), {
    end: 'found',
    process: process(98, 'bash'),
    why: 'it ran sudo (pid 99), which ran pkill (pid 100)',
  });
  const job = line('pkill x', 'sh -c pkill', 'cron -f', 'systemd');
  assert.equal(job.end === 'found' && job.process.pid, 99);
  assert.match(
    job.end === 'found' ? job.why : '',
    /^cron \(pid 98\) started it, and it ran pkill \(pid 100\)$/,
  );
  assert.equal(line('bash', 'sshd').end, 'nobody', 'it decided for itself');
  assert.equal(line('systemd-oomd', 'systemd').end, 'nobody');
  assert.equal(line('systemd').end, 'service');
  assert.equal(line('runc kill x', 'containerd-shim-runc-v2 -id x', 'systemd').end, 'service');
  assert.equal(line('pkill x', 'sudo x').end, 'nobody', 'nothing is known above');
});

test('the climb names only what is in the line, and never a courier that is no command of a service', () => {
  const names = COURIERS.flatMap(({ programs }) => programs);
  const anyLine = fc.array(fc.constantFrom(...names, 'bash', 'app', 'sh -c x'), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(anyLine, lines => {
      const parents = lines.map((text, i) => process(100 - i, text));
      const found = climb(parents);
      if (found.end !== 'found') return;
      const at = parents.indexOf(found.process);
      assert.ok(at > 0);
      const isStarted = courierOf(parents[at + 1] ?? process(1, 'app'))?.will === 'service';
      if (!isStarted) assert.equal(courierOf(found.process), undefined);
      for (const below of parents.slice(0, at)) assert.equal(courierOf(below)?.will, 'relay');
    }),
  );
});

const FITTING: [line: string, names: Partial<Names>, service: string | null][] = [
  ['systemctl stop nginx', {}, 'systemd'],
  ['systemctl restart nginx.service', {}, 'systemd'],
  ['systemctl --no-block stop other nginx', {}, 'systemd'],
  ['systemctl stop ngin*', {}, 'systemd'],
  ['systemctl stop system.slice', {}, 'systemd'],
  ['service nginx stop', {}, 'systemd'],
  ['shutdown -r now', {}, 'systemd'],
  ['loginctl terminate-session 4', { cgroup: '/user.slice/user-33.slice/session-4.scope' }, 'systemd'],
  ['loginctl terminate-user www', {}, 'systemd'],
  ['docker kill 4f1d0a9c', { container: '4f1d0a9c7b3e' }, 'containerd-shim-runc-v2'],
  ['podman stop web', { containerNames: ['web'] }, 'conmon'],
  ['supervisorctl restart nginx', {}, 'supervisord'],
  ['kill -9 2219', {}, null],
  ['pkill nginx', {}, null],
];

for (const [line, names, service] of FITTING) {
  test(`"${line}" names the victim`, () => {
    const asked = service === null ? null : program(service);
    assert.notEqual(matchExec([exec(line)], { ...NAMES, ...names }, asked), null);
  });
}

const UNFITTING: [line: string, names: Partial<Names>, service: string | null, why: string][] = [
  ['systemctl status nginx', {}, 'systemd', 'it only looks'],
  ['systemctl stop apache', {}, 'systemd', 'another unit'],
  ['systemctl stop nginx', {}, 'cron', 'another service'],
  ['systemctl stop nginx', {}, null, 'it does not kill by itself'],
  ['systemctl stop apa*', {}, 'systemd', 'another glob'],
  ['docker logs 4f1d0a9c', { container: '4f1d0a9c7b3e' }, 'dockerd', 'no verb that ends'],
  ['docker stop web', {}, 'dockerd', 'it is in no container'],
  ['docker stop 0123456789ab', { container: '4f1d0a9c7b3e' }, 'dockerd', 'the id of another one'],
  ['docker stop', { container: '4f1d0a9c7b3e' }, 'dockerd', 'it names none'],
  ['kill -9 2218', {}, null, 'another pid'],
  ['kill -2219 1', {}, null, 'an option'],
  ['echo kill 2219', {}, null, 'another program'],
  ['pkill ngin', {}, null, 'not its name'],
];

for (const [line, names, service, why] of UNFITTING) {
  test(`"${line}" does not name the victim: ${why}`, () => {
    const asked = service === null ? null : program(service);
    assert.equal(matchExec([exec(line)], { ...NAMES, ...names }, asked), null);
  });
}

test('of several commands that fit the last one counts', () => {
  const fits = [
    exec('systemctl stop nginx', 1),
    exec('systemctl restart nginx', 5),
    exec('systemctl stop x', 6),
  ];
  const match = matchExec(fits, NAMES, program('systemd'));
  assert.equal(match?.exec.time_us, 5 * SECOND);
  assert.equal(match?.why(6 * SECOND), '"systemctl restart nginx", run 1 s before, names its unit');
});

test('a name of a container may be that of the victim, unless another command names that one for certain', () => {
  const victim = { ...NAMES, container: '4f1d0a9c7b3e' };
  const byName = exec('docker stop web', 5);
  const match = matchExec([exec('docker kill 4f1d0a9c', 1), byName], victim, program('dockerd'));
  assert.equal(match?.why(6 * SECOND), '"docker kill 4f1d0a9c", run 5 s before, names its container');
  assert.equal(
    matchExec([byName], victim, program('dockerd'))?.why(6 * SECOND),
    '"docker stop web", run 1 s before, names a container, which one was not recorded',
  );
  // Too short to be told from a name.
  assert.match(
    matchExec([exec('docker kill 4f1')], victim, program('dockerd'))?.why(0) ?? '',
    /not recorded$/,
  );
});

test('a glob of systemctl fits what a regular expression of it fits, and a hostile one ends', () => {
  const text = fc.stringMatching(/^[ab*?]{0,8}$/);
  fc.assert(
    fc.property(text, fc.stringMatching(/^[ab]{0,8}$/), (pattern, name) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
      assert.equal(matchesGlob(pattern, name), /[*?]/.test(pattern) && expression.test(name));
    }),
    { numRuns: 2000 },
  );
  assert.equal(matchesGlob(`${'*a'.repeat(15_000)}b`, 'a'.repeat(250)), false);
});

test('every habit of a wrapper has its words, and none explains an end that came first', () => {
  for (const { doc, within } of HABITS) {
    assert.match(doc, /\b(exit|exits|end|does)\b/);
    assert.ok(within > 0 && within <= 60 * SECOND);
  }
  const end = fc.record({
    exit_code: fc.constantFrom(0, 1, 2, 101, 123, 124, 125, 137, 143, 247, null),
    exit_signal: fc.constantFrom(9, 15, 11, null),
    ended_us: fc.integer({ min: 0, max: 100 }),
  });
  const names = fc.constantFrom('sh', 'make', 'timeout', 'xargs', 'app', 'go');
  fc.assert(
    fc.property(names, end, end, fc.boolean(), (name, parent, child, isSignalled) => {
      const why = passesOn({ id: 1, ...program(name), ...parent }, { id: 2, ...child, isSignalled });
      if (why === null) return;
      assert.ok(child.ended_us <= parent.ended_us);
      if (!isSignalled)
        assert.ok(child.exit_signal !== null || child.exit_code !== 0, 'a child that ended well');
    }),
    { numRuns: 3000 },
  );
});

test('137 is explained by a child that SIGKILL ended just before, not by any other', () => {
  const parent = { id: 1, ...program('sh -c x'), exit_code: 137, exit_signal: null, ended_us: 100 * SECOND };
  const child = (sig: number | null, code: number | null, seconds: number) =>
    passesOn(parent, {
      id: 2,
      exit_code: code,
      exit_signal: sig,
      ended_us: seconds * SECOND,
      isSignalled: false,
    });
  assert.match(child(9, null, 99.9) ?? '', /128 \+ n/);
  assert.equal(child(15, null, 99.9), null);
  assert.equal(child(null, 0, 99.9), null);
  assert.equal(child(9, null, 80), null, 'long before');
  assert.match(child(null, 137, 99.9) ?? '', /status of their child/);
});
