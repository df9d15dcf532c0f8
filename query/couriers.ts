/**
 * Couriers: programs that kill, but not of their own will. Who bade them is the instigator (instigator.ts).
 *
 * A rule names programs by their file (or, of a script, by its name) and says whose will they do:
 *   relay     its parent's: who ran it wanted this. The search goes on with the parent.
 *   service   somebody's who asked by another way than by starting it: a socket, a schedule, a unit file. Its parent has
 *             nothing to do with it. What it started itself was started for a purpose; else a recent command may tell.
 *   watchdog  its own: it acts when something happens to the machine, and nobody asked for it.
 * A program that no rule names decides for itself. A shell is a relay only with -c: a script and a person at a prompt
 * decide for themselves.
 */

export type Will = 'relay' | 'service' | 'watchdog';

export interface Courier {
  programs: readonly string[];
  will: Will;
  /** Only with one of these as a word of its own, or within a group of short options. */
  onlyWith?: string;
  /** What it does, for a sentence that begins with its name. */
  doc: string;
}

export const SHELLS = [
  'sh',
  'dash',
  'bash',
  'ash',
  'zsh',
  'ksh',
  'mksh',
  'fish',
  'csh',
  'tcsh',
  'busybox',
] as const;

export const COURIERS: readonly Courier[] = [
  { programs: SHELLS, will: 'relay', onlyWith: '-c', doc: 'runs a command that it was given' },

  // Tools that send a signal to what their arguments name.
  { programs: ['kill', 'skill', 'tkill'], will: 'relay', doc: 'signals the processes that it was given' },
  { programs: ['pkill', 'killall', 'killall5'], will: 'relay', doc: 'signals the processes of a name' },
  { programs: ['fuser', 'xkill', 'slay'], will: 'relay', doc: 'signals the processes that use something' },
  { programs: ['start-stop-daemon', 'killproc'], will: 'relay', doc: 'stops the daemon that it was given' },
  { programs: ['timeout'], will: 'relay', doc: 'ends a command whose time is up' },

  // Tools that run a command for somebody.
  {
    programs: ['sudo', 'doas', 'su', 'runuser', 'pkexec', 'run0'],
    will: 'relay',
    doc: 'runs a command as another user',
  },
  {
    programs: ['setpriv', 'capsh', 'chroot', 'unshare', 'nsenter'],
    will: 'relay',
    doc: 'runs a command elsewhere',
  },
  {
    programs: ['env', 'nice', 'ionice', 'chrt', 'taskset', 'nohup', 'setsid', 'stdbuf', 'time'],
    will: 'relay',
    doc: 'runs a command in another way',
  },
  {
    programs: ['xargs', 'parallel', 'find', 'watch', 'flock', 'script', 'strace'],
    will: 'relay',
    doc: 'runs a command that it was given',
  },
  { programs: ['make', 'gmake', 'ninja', 'just'], will: 'relay', doc: 'runs the commands of a build file' },
  { programs: ['npm', 'npx', 'yarn', 'pnpm'], will: 'relay', doc: 'runs the commands of a package' },

  // Clients: they ask a service, or run what it would run.
  {
    programs: ['systemctl', 'service', 'invoke-rc.d', 'rc-service', 'initctl'],
    will: 'relay',
    doc: 'asks the service manager',
  },
  {
    programs: ['docker', 'podman', 'nerdctl', 'crictl', 'ctr', 'kubectl'],
    will: 'relay',
    doc: 'asks for something to be done with containers',
  },
  { programs: ['supervisorctl', 's6-svc', 'sv'], will: 'relay', doc: 'asks a supervisor' },
  {
    programs: ['runc', 'crun', 'youki', 'kata-runtime'],
    will: 'relay',
    doc: 'does to a container what its caller says',
  },

  // Services: who asked them is not their parent.
  { programs: ['systemd', 'init', 'openrc-init', 'launchd'], will: 'service', doc: 'starts and stops units' },
  { programs: ['systemd-logind', 'systemd-machined'], will: 'service', doc: 'ends sessions and machines' },
  {
    programs: [
      'dockerd',
      'containerd',
      'containerd-shim',
      'containerd-shim-runc-v1',
      'containerd-shim-runc-v2',
      'conmon',
      'crio',
    ],
    will: 'service',
    doc: 'runs containers',
  },
  { programs: ['kubelet'], will: 'service', doc: 'runs the pods of a cluster' },
  {
    programs: [
      'supervisord',
      'monit',
      'runsv',
      'runsvdir',
      's6-supervise',
      's6-svscan',
      'pm2',
      'god',
      'circusd',
    ],
    will: 'service',
    doc: 'keeps daemons running',
  },
  {
    programs: ['tini', 'docker-init', 'dumb-init', 'catatonit'],
    will: 'service',
    doc: 'passes signals on to the one process of its container',
  },
  {
    programs: ['cron', 'crond', 'anacron', 'fcron', 'atd', 'at'],
    will: 'service',
    doc: 'runs commands at their time',
  },
  {
    programs: ['sshd', 'sshd-session', 'dropbear', 'login', 'telnetd', 'getty', 'agetty'],
    will: 'service',
    doc: 'lets people in',
  },
  { programs: ['screen', 'tmux', 'tmux: server', 'dtach'], will: 'service', doc: 'keeps terminals' },

  // They answer to the machine alone.
  {
    programs: ['systemd-oomd', 'earlyoom', 'nohang', 'oomd', 'lmkd'],
    will: 'watchdog',
    doc: 'kills when memory runs short',
  },
];

/** What the words of a client may name. */
export type Naming = 'pid' | 'command' | 'unit' | 'container' | 'session' | 'everything';

/** A command that bids a service, or itself, to end what its words name. */
export interface Client {
  programs: readonly string[];
  /** One of these must be among its words; none: it needs no verb. */
  verbs?: readonly string[];
  names: Naming;
  /** The service that then kills; none: it kills itself, so it tells only where the signal was not recorded. */
  asks?: readonly string[];
}

const STOP = ['stop', 'restart', 'kill', 'condrestart', 'try-restart', 'reload-or-restart'] as const;
const MANAGERS = ['systemd', 'init', 'openrc-init'] as const;
const ENGINES = [
  'dockerd',
  'containerd',
  'containerd-shim',
  'containerd-shim-runc-v1',
  'containerd-shim-runc-v2',
  'conmon',
  'crio',
  'kubelet',
  'systemd',
] as const;

export const CLIENTS: readonly Client[] = [
  {
    programs: ['systemctl', 'service', 'invoke-rc.d', 'rc-service', 'initctl'],
    verbs: STOP,
    names: 'unit',
    asks: MANAGERS,
  },
  {
    programs: ['systemctl'],
    verbs: ['isolate', 'rescue', 'emergency', 'reboot', 'poweroff', 'halt', 'kexec', 'exit'],
    names: 'everything',
    asks: MANAGERS,
  },
  { programs: ['shutdown', 'reboot', 'poweroff', 'halt', 'telinit'], names: 'everything', asks: MANAGERS },
  {
    programs: ['loginctl'],
    verbs: ['terminate-session', 'kill-session', 'terminate-user', 'kill-user'],
    names: 'session',
    asks: [...MANAGERS, 'systemd-logind'],
  },
  {
    programs: ['machinectl'],
    verbs: ['terminate', 'poweroff', 'kill', 'stop', 'reboot'],
    names: 'unit',
    asks: [...MANAGERS, 'systemd-machined'],
  },
  {
    programs: ['docker', 'podman', 'nerdctl'],
    verbs: ['stop', 'kill', 'rm', 'restart'],
    names: 'container',
    asks: ENGINES,
  },
  { programs: ['crictl'], verbs: ['stop', 'stopp', 'rm', 'rmp'], names: 'container', asks: ENGINES },
  {
    programs: ['ctr'],
    verbs: ['kill', 'delete', 'rm', 'stop'],
    names: 'container',
    asks: ENGINES,
  },
  {
    programs: ['kubectl'],
    verbs: ['delete', 'drain', 'replace', 'evict'],
    names: 'container',
    asks: ENGINES,
  },
  {
    programs: ['supervisorctl', 'monit', 'pm2', 'circusctl'],
    verbs: ['stop', 'restart', 'signal', 'shutdown', 'kill', 'delete'],
    names: 'command',
    asks: ['supervisord', 'monit', 'pm2', 'circusd'],
  },
  { programs: ['s6-svc', 'sv'], names: 'command', asks: ['s6-supervise', 'runsv'] },
  { programs: ['kill', 'skill', 'tkill'], names: 'pid' },
  { programs: ['pkill', 'killall', 'skill', 'slay', 'start-stop-daemon'], names: 'command' },
];
