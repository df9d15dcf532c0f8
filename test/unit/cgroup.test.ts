import assert from 'node:assert/strict';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Cgroups, containerOf, unifiedRoot, unitOf } from '../../recorder/cgroup.js';
import { tempDirectory } from './temp.js';

const ID = '4f2a'.repeat(16);
const POD = 'kubepods-burstable-pod0b1c2d3e_4f50_6172_8394_a5b6c7d8e9f0.slice';

const PATHS: [path: string, unit: string | null, container: string | null][] = [
  ['/', null, null],
  ['/system.slice', null, null],
  ['/system.slice/nginx.service', 'nginx.service', null],
  ['/system.slice/system-getty.slice/getty@tty1.service', 'getty@tty1.service', null],
  ['/system.slice/dbus.socket', 'dbus.socket', null],
  ['/system.slice/tmp.mount', 'tmp.mount', null],
  ['/init.scope', 'init.scope', null],
  ['/user.slice/user-1000.slice/session-2.scope', 'session-2.scope', null],
  ['/user.slice/user-1000.slice/user@1000.service/app.slice/firefox.service', 'firefox.service', null],
  ['/user.slice/user-1000.slice/user@1000.service', 'user@1000.service', null],
  [`/docker/${ID}`, null, ID],
  [`/system.slice/docker-${ID}.scope`, `docker-${ID}.scope`, ID],
  [`/system.slice/docker-${ID}.scope/init.scope`, 'init.scope', ID],
  [`/system.slice/docker-${ID}.scope/system.slice/cron.service`, 'cron.service', ID],
  [`/system.slice/cri-containerd-${ID}.scope`, `cri-containerd-${ID}.scope`, ID],
  [
    `/kubepods.slice/kubepods-burstable.slice/${POD}/cri-containerd-${ID}.scope`,
    `cri-containerd-${ID}.scope`,
    ID,
  ],
  [`/kubepods.slice/kubepods-burstable.slice/${POD}/crio-${ID}.scope`, `crio-${ID}.scope`, ID],
  [`/kubepods/besteffort/pod0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0/${ID}`, null, ID],
  [`/system.slice/containerd.service/${POD}:cri-containerd:${ID}`, 'containerd.service', ID],
  [`/machine.slice/libpod-${ID}.scope`, `libpod-${ID}.scope`, ID],
  [`/machine.slice/libpod-${ID}.scope/container`, `libpod-${ID}.scope`, ID],
  [`/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope`, `libpod-${ID}.scope`, ID],
  [`/system.slice/containerd.service`, 'containerd.service', null],
  [`/docker/${ID.slice(1)}`, null, null],
  [`/docker/${ID.toUpperCase()}`, null, null],
  [`/docker/${ID}0`, null, null],
];

for (const [path, unit, container] of PATHS) {
  const of = `${unit ? `unit ${unit.slice(0, 24)}` : 'no unit'} and ${container ? 'a container' : 'no container'}`;
  test(`${path.replaceAll(ID, 'ID')} names ${of}`, () => {
    assert.equal(unitOf(path), unit);
    assert.equal(containerOf(path), container);
  });
}

/** A directory that looks like a mounted cgroup2 hierarchy. */
function fakeHierarchy(root: string, ...paths: string[]): string {
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'cgroup.procs'), '');
  for (const path of paths) mkdirSync(join(root, path), { recursive: true });
  return root;
}

test('the first root with a control file is the hierarchy', t => {
  const directory = tempDirectory(t);
  const bare = join(directory, 'bare');
  mkdirSync(bare);
  const unified = fakeHierarchy(join(directory, 'unified'));
  assert.equal(unifiedRoot([join(directory, 'none'), bare, unified]), unified);
  assert.equal(unifiedRoot([bare]), null);
});

test('cgroups that were there before are known by their ids, and get a row only when they are referred to', t => {
  const root = fakeHierarchy(join(tempDirectory(t), 'cg'), 'system.slice/nginx.service', 'user.slice');
  const cgroups = new Cgroups(5, [root]);
  assert.deepEqual(cgroups.added, []);
  const inode = statSync(join(root, 'system.slice/nginx.service')).ino;
  assert.equal(cgroups.id(inode), 5);
  assert.equal(cgroups.id(inode), 5);
  assert.equal(cgroups.id(statSync(root).ino), 6);
  assert.deepEqual(cgroups.added, [
    [5, '/system.slice/nginx.service', 'nginx.service', null],
    [6, '/', null, null],
  ]);
});

test('a cgroup that nothing told of has no row', t => {
  const cgroups = new Cgroups(1, [fakeHierarchy(join(tempDirectory(t), 'cg'))]);
  assert.equal(cgroups.id(2 ** 40), null);
  assert.equal(cgroups.id(null), null);
});

test('a new cgroup is known from its making', () => {
  const cgroups = new Cgroups(1, []);
  cgroups.made(77, `/system.slice/docker-${ID}.scope`);
  assert.equal(cgroups.id(77), 1);
  assert.deepEqual(cgroups.added, [[1, `/system.slice/docker-${ID}.scope`, `docker-${ID}.scope`, ID]]);
});

test('a kernel id that comes again means the newer cgroup', () => {
  const cgroups = new Cgroups(1, []);
  cgroups.made(77, '/a.scope');
  cgroups.made(77, '/b.scope');
  const id = cgroups.id(77);
  assert.equal(cgroups.added.find(row => row[0] === id)?.[1], '/b.scope');
});

test('a symbolic link in the hierarchy leads nowhere', t => {
  const root = fakeHierarchy(join(tempDirectory(t), 'cg'), 'a.slice');
  symlinkSync(root, join(root, 'a.slice', 'loop'));
  const cgroups = new Cgroups(1, [root]);
  assert.equal(cgroups.id(statSync(join(root, 'a.slice')).ino), 1);
});
