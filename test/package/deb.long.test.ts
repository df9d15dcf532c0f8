/** The Debian package: what is in it, and that it does the main job in a system that has nothing but what it depends on. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PACKAGE_ROOT } from '../../migrations/database.js';
import { cannotRecord } from '../kernel/lab.js';

/** The first release of Debian whose own Node.js is new enough. */
const RELEASE = 'trixie';
const SOURCES = '/etc/apt/sources.list.d/debian.sources';

function run(file: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    cwd: PACKAGE_ROOT,
    encoding: 'utf8',
    timeout: 900_000,
    maxBuffer: 1 << 26,
  });
  assert.equal(status, 0, `${file} ${args.join(' ')}: ${error?.message ?? stderr.slice(-2000)}`);
  return stdout;
}

const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

function buildPackage(): string {
  run('bash', 'setup/deb.sh');
  const directory = join(PACKAGE_ROOT, 'dist', 'deb');
  const [name] = readdirSync(directory).filter(name => name.endsWith('.deb'));
  return join(directory, name as string);
}

/** Where this machine gets its packages from. */
function mirror(): string | undefined {
  return existsSync(SOURCES) ? /^URIs: (\S+)/m.exec(readFileSync(SOURCES, 'utf8'))?.[1] : undefined;
}

/** A fresh system in a directory, gone after the test. */
function freshRoot(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'snooprec-root-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  chmodSync(root, 0o755); // others than root live there too
  run(
    'debootstrap',
    '--variant=minbase',
    '--include=nodejs,libbpf1,adduser',
    RELEASE,
    root,
    mirror() as string,
  );
  return root;
}

/** Runs a script within the root, in a mount namespace and a cgroup of its own that end with it. */
function within(root: string, script: string): string {
  const cgroup = `$(dirname "$(find /sys/fs/cgroup -maxdepth 2 -name cgroup.controllers | head -n 1)")/snooprec-deb-$$`;
  const inside = `set -eu
    mount -t proc proc ${root}/proc; mount --rbind /sys ${root}/sys; mount --rbind /dev ${root}/dev
    mkdir "${cgroup}"; trap 'rmdir "${cgroup}"' EXIT
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin CGROUP="${cgroup}" chroot ${root} /bin/sh -euc '${script}'`;
  return run('unshare', '--mount', '--propagation', 'private', 'sh', '-c', inside);
}

const skip =
  cannotRecord ||
  (!has('debootstrap') && 'needs debootstrap') ||
  (mirror() === undefined && 'does not know a Debian mirror');

test('the package has no errors by the rules of Debian', {
  skip: has('lintian') ? false : 'needs lintian',
}, () => {
  assert.doesNotMatch(run('lintian', '--fail-on', 'none', buildPackage()), /^E:/m);
});

test('installed into a fresh Debian, it records, answers, and leaves nothing but the recording', {
  skip,
}, t => {
  const root = freshRoot(t);
  const path = buildPackage();
  run('cp', path, join(root, 'snooprec.deb'));
  const said = within(
    root,
    `dpkg -i /snooprec.deb >/dev/null 2>&1
    getent passwd snooprec >/dev/null
    NODE_OPTIONS="--require /nowhere.js" snooprec start --cgroup "$CGROUP"
    sh -c "echo \\$\\$ > $CGROUP/cgroup.procs; sleep 1000 & echo \\$! > /victim; sleep 1; kill -9 \\$!; wait" || true
    sleep 1
    snoopq who-killed "$(cat /victim)"
    ls -l /var/lib/snooprec
    dpkg -r snooprec >/dev/null 2>&1
    ls /usr/lib/snooprec /sys/fs/bpf/snooprec 2>&1 || true
    ls /var/lib/snooprec`,
  );
  assert.match(said, /^sh \(pid \d+\) killed sleep \(pid \d+\) with SIGKILL by kill\(2\)/m);
  assert.match(said, /Proven: the signal and the death were recorded/);
  assert.match(said, /^-rw------- 1 snooprec snooprec .* snooprec\.db$/m);
  assert.match(said, /cannot access '\/usr\/lib\/snooprec'/);
  assert.match(said, /\nsnooprec\.db\n/, 'recordings stay until they are purged');
});
