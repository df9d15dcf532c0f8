/**
 * The unit by which systemd runs the recorder: started at boot, restarted when it was killed, and closed in. A recorder that
 * comes back resumes at the pinned lanes, so a restart loses nothing.
 */

import { lstatSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DEFAULT_DATABASE } from '../migrations/database.js';
import { SnoopError } from '../migrations/errors.js';
import { makeDatabasePath } from './path-safety.js';
import { giveToService } from './privileges.js';

export const UNIT_PATH = '/etc/systemd/system/snooprec.service';
const GROUP_OR_OTHERS_WRITE = 0o022;

/** What a recorder uses: to attach, to read /proc of processes that were there before it, and to become its own user (privileges.ts). */
export const CAPABILITIES = [
  'CAP_BPF',
  'CAP_PERFMON',
  'CAP_SYS_PTRACE',
  'CAP_SETUID',
  'CAP_SETGID',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
] as const;

/** Young objects get 2 MiB at a time, not 16: in a storm that is 25 MB less, and little is allocated there. */
export const NODE_OPTIONS = ['--max-semi-space-size=2', '--heap-growing-percent=20'];

/** What a ring of io_uring does, it does with the rights of who made it: the recorder, which gives its own up, has none (CVE-2024-22017). */
export const RECORDER_ENVIRONMENT = { UV_USE_IO_URING: '0' };

/** What systemd is to run. */
export function serviceCommand(node: string, program: string): string[] {
  return [node, ...NODE_OPTIONS, program, 'start', '--foreground'];
}

/** @param command as `serviceCommand` makes it */
export function unitText(command: readonly string[]): string {
  return `[Unit]
Description=Flight recorder for processes: who killed it?
Documentation=man:snooprec(8)
After=local-fs.target
RequiresMountsFor=/var/lib/snooprec

[Service]
Type=notify
NotifyAccess=main
ExecStart=${command.map(quoted).join(' ')}
Restart=on-failure
RestartSec=1
WatchdogSec=30
TimeoutStopSec=15
OOMScoreAdjust=-900
Nice=-5
LimitCORE=0
LimitMEMLOCK=infinity
UMask=0077
RuntimeDirectory=snooprec
RuntimeDirectoryMode=0750
RuntimeDirectoryPreserve=yes
WorkingDirectory=/
Environment=${Object.entries(RECORDER_ENVIRONMENT)
    .map(pair => pair.join('='))
    .join(' ')}
UnsetEnvironment=NODE_OPTIONS NODE_PATH LD_PRELOAD LD_LIBRARY_PATH

# It listens on nothing, writes to three directories, and needs these few capabilities.
CapabilityBoundingSet=${CAPABILITIES.join(' ')}
AmbientCapabilities=
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=/sys/fs/bpf /var/lib/snooprec
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateNetwork=yes
IPAddressDeny=any
RestrictAddressFamilies=AF_UNIX
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
KeyringMode=private
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service bpf perf_event_open
SystemCallFilter=~@mount @swap @reboot @module @raw-io @obsolete @cpu-emulation @clock @debug @keyring @resources @privileged
SystemCallFilter=bpf perf_event_open setpriority @setuid @chown
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}

/** Writes the unit, and makes the directory of the recordings, which the unit may not. Throws SnoopError 'config' where somebody else could change what root would then run. */
export function installUnit(command: readonly string[], path = UNIT_PATH): void {
  for (const file of command.filter(word => word.startsWith('/'))) refuseWritable(file);
  if (path === UNIT_PATH && makeDatabasePath(DEFAULT_DATABASE).length > 0)
    giveToService(dirname(DEFAULT_DATABASE));
  try {
    writeFileSync(path, unitText(command), { mode: 0o644 });
  } catch (error) {
    throw new SnoopError(
      'config',
      `cannot write ${path}: ${(error as Error).message}`,
      'is this a machine with systemd?',
      error,
    );
  }
}

/** Whoever can write a program, or a directory above it, could have root run theirs. */
function refuseWritable(program: string): void {
  for (let path = realpathSync(program); ; path = dirname(path)) {
    const { uid, mode } = lstatSync(path);
    if (uid !== 0 || mode & GROUP_OR_OTHERS_WRITE) {
      throw new SnoopError(
        'config',
        `${path} can be changed by others than root, and systemd would run what they put there`,
        'install the package, or give the directory to root',
      );
    }
    if (path === '/') return;
  }
}

/** systemd.service(5), command lines: spaces divide words, % and $ stand for something. */
function quoted(word: string): string {
  const plain = word.replace(/%/g, '%%').replace(/\$/g, '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(plain) ? plain : `"${plain.replace(/[\\"]/g, '\\$&')}"`;
}
