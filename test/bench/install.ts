/** Installs the peers from Debian, where that is possible; one that cannot be had is missed by name later. */

import { spawnSync } from 'node:child_process';

/** @returns what was installed */
export function installPackages(packages: readonly string[]): string[] {
  const missing = packages.filter(name => installedVersion(name) === null);
  return missing.filter(name => install(name));
}

/** The version of an installed package; null: it is not installed. */
export function installedVersion(name: string): string | null {
  const { status, stdout } = spawnSync('dpkg', ['-s', name], { encoding: 'utf8' });
  return (status === 0 && /^Version: (.+)$/m.exec(stdout)?.[1]) || null;
}

function install(name: string): boolean {
  const { status } = spawnSync(
    'apt-get',
    ['-q', '-o', 'DPkg::Lock::Timeout=120', 'install', '-y', '--no-install-recommends', name],
    {
      stdio: 'ignore',
      timeout: 300_000,
      // RUNLEVEL: invoke-rc.d(8) then starts no service, as auditd's package wants to.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    },
  );
  return status === 0;
}
