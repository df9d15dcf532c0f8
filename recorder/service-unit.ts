/**
 * The unit by which systemd runs the recorder: started at boot, restarted when it was killed, and closed in. A recorder that
 * comes back resumes at the pinned lanes, so a restart loses nothing.
 */

import {
  chmodSync,
  existsSync,
  lstatSync,
  readFileSync,
  realpathSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DEFAULT_DATABASE } from '../migrations/database.js';
import { SnoopError } from '../migrations/errors.js';
import { makeDatabasePath } from './path-safety.js';
import { giveToService } from './privileges.js';

export const UNIT_PATH = '/etc/systemd/system/snooprec.service';
/** Where a package puts its own; one in /etc would stand before it, and stay when the package changes or goes. */
const PACKAGED = ['/usr/lib/systemd/system/snooprec.service', '/lib/systemd/system/snooprec.service'];
/** What `systemctl enable` makes. */
const ENABLED = '/etc/systemd/system/multi-user.target.wants/snooprec.service';
/** The head of what is ours to write over and to remove. */
const MARK = '# Made by snooprec';
/** What the unit hides from the recorder. */
const HIDDEN = ['/home', '/root', '/run/user', '/tmp', '/var/tmp'];
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

/**
 * What systemd is to run.
 * @param options further ones of `start`
 */
export function serviceCommand(node: string, program: string, options: readonly string[] = []): string[] {
  return [node, ...NODE_OPTIONS, program, 'start', '--foreground', ...options];
}

/**
 * @param command as `serviceCommand` makes it
 * @param directory where the recording lies
 */
export function unitText(command: readonly string[], directory = dirname(DEFAULT_DATABASE)): string {
  return `${MARK}, which may write it anew: changes of yours belong beside it, see systemctl edit snooprec.
[Unit]
Description=Flight recorder for processes: who killed it?
Documentation=man:snooprec(8)
After=local-fs.target
RequiresMountsFor=${quoted(directory)}

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
ReadWritePaths=/sys/fs/bpf ${quoted(directory)}
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

/**
 * Writes the unit, and makes the directory of the recording at `db`, which the unit may not. False: it was there, the same.
 * Throws SnoopError 'config' where somebody else could change what root would then run, or another unit is in the way.
 */
export function installUnit(command: readonly string[], db = DEFAULT_DATABASE, path = UNIT_PATH): boolean {
  const files = command.filter(word => word.startsWith('/'));
  for (const file of files) refuseWritable(file);
  for (const file of [...files.map(file => realpathSync(file)), db]) refuseHidden(file);
  const packaged = path === UNIT_PATH ? PACKAGED.find(existsSync) : undefined;
  if (packaged !== undefined) {
    throw new SnoopError(
      'config',
      `the package has a unit already: ${packaged}`,
      'systemctl enable --now snooprec',
    );
  }
  const found = unitAt(path);
  if (path === UNIT_PATH && makeDatabasePath(db).length > 0) giveToService(dirname(db));
  const text = unitText(command, dirname(db));
  if (found === text) return false;
  try {
    writeFileSync(`${path}.new`, text);
    chmodSync(`${path}.new`, 0o644); // whatever the umask is
    renameSync(`${path}.new`, path);
  } catch (error) {
    throw new SnoopError(
      'config',
      `cannot write ${path}: ${(error as Error).message}`,
      'is this a machine with systemd?',
      error,
    );
  }
  return true;
}

/** Removes the unit that `installUnit` wrote. False: there is none. */
export function removeUnit(path = UNIT_PATH, enabled = ENABLED): boolean {
  if (unitAt(path) === null) return false;
  if (lstatSync(enabled, { throwIfNoEntry: false }) !== undefined)
    throw new SnoopError('config', 'systemd starts it at boot still', 'systemctl disable --now snooprec');
  unlinkSync(path);
  return true;
}

/** Our unit; null: there is none. What is not ours is left alone, also the link to /dev/null that `systemctl mask` makes. */
function unitAt(path: string): string | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  const text = found.isFile() ? readFileSync(path, 'utf8') : '';
  if (text.startsWith(MARK)) return text;
  throw new SnoopError(
    'config',
    found.isSymbolicLink() ? `${path} is a symbolic link` : `${path} is not ours`,
    found.isSymbolicLink() ? 'systemctl unmask snooprec' : 'move it away',
  );
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

/** By ProtectHome and PrivateTmp the service finds nothing there. */
function refuseHidden(file: string): void {
  const hidden = HIDDEN.find(directory => file.startsWith(`${directory}/`));
  if (hidden === undefined) return;
  throw new SnoopError(
    'config',
    `${file} is below ${hidden}, which the unit closes off`,
    'install the package, or move it to /opt or /srv',
  );
}

/** systemd.service(5), command lines: spaces divide words, % and $ stand for something. */
function quoted(word: string): string {
  const plain = word.replace(/%/g, '%%').replace(/\$/g, '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(plain) ? plain : `"${plain.replace(/[\\"]/g, '\\$&')}"`;
}
