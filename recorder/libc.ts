/** The calls of the C library and the kernel that Node does not offer: memory maps, waiting, clocks, locks, perf events. */

import { constants } from 'node:os';
import { errno, isMapFailed, kernelError, number, openLibrary, outStruct, view } from './ffi.js';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const CLOCK_REALTIME = 0;
const CLOCK_BOOTTIME = 7;
const SC_PAGESIZE = 30;
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const SIG_IGN = 1n;
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const PR_SET_DUMPABLE = 4; // include/uapi/linux/prctl.h
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const RLIMIT_MEMLOCK = 8;
const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

/** Numbers of system calls that the C library has no function for, or bends. */
const SYS = {
  x64: { rt_sigaction: 13, perf_event_open: 298 },
  arm64: { rt_sigaction: 134, perf_event_open: 241 },
}[process.arch as 'x64' | 'arm64'];

const libc = openLibrary(null);
const c = {
  mmap: libc.func('void *mmap(void *at, size_t bytes, int prot, int flags, int fd, int64_t offset)'),
  munmap: libc.func('int munmap(void *at, size_t bytes)'),
  flock: libc.func('int flock(int fd, int operation)'),
  clock_gettime: libc.func('clock_gettime', 'int', [
    'int',
    outStruct('timespec', { sec: 'int64_t', nsec: 'int64_t' }),
  ]),
  mount: libc.func(
    'int mount(const char *source, const char *target, const char *type, unsigned long flags, void *data)',
  ),
  epoll_create1: libc.func('int epoll_create1(int flags)'),
  epoll_ctl: libc.func('int epoll_ctl(int epoll, int operation, int fd, const void *event)'),
  epoll_wait: libc.func('int epoll_wait(int epoll, void *events, int count, int timeout_ms)'),
  eventfd: libc.func('int eventfd(unsigned int start, int flags)'),
  rt_sigaction: libc.func('syscall', 'int64_t', ['int64_t', 'int64_t', 'const void *', 'void *', 'size_t']),
  perf_event_open: libc.func('syscall', 'int64_t', [
    'int64_t',
    'const void *',
    'int',
    'int',
    'int',
    'uint64_t',
  ]),
  ioctl: libc.func('ioctl', 'int', ['int', 'unsigned long', 'int64_t']),
  prctl: libc.func(
    'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
  ),
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  connect: libc.func('int connect(int socket, const void *address, size_t bytes)'),
  send: libc.func('int64_t send(int socket, const void *data, size_t bytes, int flags)'),
  setgroups: libc.func('int setgroups(size_t count, const void *groups)'),
  setgid: libc.func('int setgid(unsigned int gid)'),
  setuid: libc.func('int setuid(unsigned int uid)'),
  setrlimit: libc.func('int setrlimit(int resource, const void *limit)'),
  _exit: libc.func('void _exit(int status)'),
  sysconf: libc.func('int64_t sysconf(int name)'),
};

/** Mounts a BPF file system. */
export const mountBpffs = (path: string): void =>
  void number(c.mount('bpf', path, 'bpf', 0, null), `mount a BPF file system on ${path}`);

/**
 * Ends the process at once, as nothing else in Node does: process.exit() runs the exit handlers of every library, and that of
 * koffi waits for a lock that a call in another thread may hold for ever.
 */
export function exitNow(status: number): never {
  c._exit(status);
  throw new Error('_exit(2) returned');
}

/** Size of a page of memory. */
export const pageBytes = (): number => Number(c.sysconf(SC_PAGESIZE));

/** Memory shared with the kernel or another process; valid until the process ends. */
export function mapMemory(fd: number, bytes: number, offset: number, writable: boolean): ArrayBuffer {
  const at = c.mmap(null, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, offset);
  if (isMapFailed(at)) throw kernelError('map memory of the kernel', errno());
  return view(at, bytes);
}

/** An epoll(7) instance that watches these descriptors for something to read. */
export function watch(fds: readonly number[]): number {
  const epoll = number(c.epoll_create1(EPOLL_CLOEXEC), 'make an epoll instance');
  for (const fd of fds) {
    // struct epoll_event, packed on x86-64 only; what comes back is not looked at, so the data may stay 0.
    const event = new Uint8Array(16);
    event[0] = EPOLLIN;
    number(c.epoll_ctl(epoll, EPOLL_CTL_ADD, fd, event), 'watch a lane');
  }
  return epoll;
}

/** Waits in another thread until a watched descriptor can be read, or the time is over. */
export function waitFor(epoll: number, timeoutMs: number): Promise<void> {
  const events = new Uint8Array(64); // of up to four descriptors
  return new Promise(done => {
    c.epoll_wait.async(epoll, events, 4, timeoutMs, () => {
      events.fill(0); // it is kept alive until here
      done();
    });
  });
}

/** An eventfd(2): readable once 8 bytes were written to it. */
export const makeEventFd = (): number => number(c.eventfd(0, EPOLL_CLOEXEC), 'make an event descriptor');

/** Takes an exclusive flock(2) on the file, without waiting. False: another open file holds it. */
export function tryLock(fd: number): boolean {
  if (c.flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
  if (errno() === constants.errno.EWOULDBLOCK) return false;
  throw kernelError('lock a file', errno());
}

/**
 * Ignores a signal that somebody sends; one that the kernel forces on us for a fault still ends the process. By the bare
 * system call, since Node knows no real-time signals, and the C library keeps two of them to itself.
 */
export function ignoreSignal(signal: number): void {
  const action = BigUint64Array.of(SIG_IGN, 0n, 0n, 0n); // struct sigaction of the kernel: handler, flags, restorer, mask
  c.rt_sigaction(SYS.rt_sigaction, signal, action, null, 8);
}

/** No program that this thread, and threads that it makes later, executes gains privileges. */
export const forbidNewPrivileges = (): void => void c.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

/** No core file of this process, and nobody but root looks into its memory: arguments lie there before they are redacted. */
export const hideMemory = (): void => void c.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);

/** Makes these the supplementary groups of every thread, in place of those that it has. */
export function takeGroups(groups: readonly number[]): void {
  number(c.setgroups(groups.length, Uint32Array.from(groups)), 'change the groups of the process');
}

/**
 * Gives up root, in every thread. Not by Node, which in some builds refuses to where io_uring may be in use (CVE-2024-22017); the
 * recorder is started without it (RECORDER_ENVIRONMENT).
 */
export function becomeUser(uid: number, gid: number, groups: readonly number[] = []): void {
  takeGroups(groups);
  number(c.setgid(gid), `take group ${gid}`);
  number(c.setuid(uid), `become user ${uid}`);
}

/** Takes capabilities from what this thread executes from now on, and the way to get them back; those that the kernel does not know it refuses. */
export function giveUpForChildren(capabilities: readonly number[]): void {
  for (const capability of capabilities) c.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  forbidNewPrivileges();
}

/** Lifts the limit of locked memory of this process and of what it spawns, if it may. */
export function allowLockedMemory(): void {
  c.setrlimit(RLIMIT_MEMLOCK, BigUint64Array.of(RLIM_INFINITY, RLIM_INFINITY));
}

/** The two clocks at one moment, in nanoseconds: wall time since the epoch, and time since boot, suspend counted. */
export function clocks(): { wall: number; boot: number } {
  const wall = readClock(CLOCK_REALTIME);
  return { wall, boot: readClock(CLOCK_BOOTTIME) };
}

function readClock(id: number): number {
  const time = { sec: 0, nsec: 0 };
  c.clock_gettime(id, time);
  return time.sec * 1e9 + time.nsec;
}

const PERF_TYPE_TRACEPOINT = 2;
const PERF_TYPE_SOFTWARE = 1;
const PERF_COUNT_SW_BPF_OUTPUT = 10;
const PERF_SAMPLE_RAW = 1 << 10;
const PERF_FLAG_FD_CLOEXEC = 8;
const PERF_EVENT_IOC_SET_OUTPUT = 0x2405;
const ATTR_BYTES = 64; // PERF_ATTR_SIZE_VER0: what came later stays 0

/**
 * A perf event of one CPU for what BPF programs put out there.
 * @param wakeAfter records after which whoever waits is woken; 0: when the buffer is half full
 */
export function openPerfOutput(cpu: number, wakeAfter: number): number {
  return openPerfEvent(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_BPF_OUTPUT, cpu, attr => {
    attr.setBigUint64(24, BigInt(PERF_SAMPLE_RAW), true);
    attr.setUint32(48, wakeAfter, true); // wakeup_events
  });
}

/** A perf event on a tracepoint, to hang a program on: the program runs on every CPU, whichever the event is of. */
export const openTracepoint = (id: number, cpu: number): number =>
  openPerfEvent(PERF_TYPE_TRACEPOINT, id, cpu, () => {});

function openPerfEvent(type: number, config: number, cpu: number, set: (attr: DataView) => void): number {
  const attr = new DataView(new ArrayBuffer(ATTR_BYTES)); // include/uapi/linux/perf_event.h, struct perf_event_attr
  attr.setUint32(0, type, true);
  attr.setUint32(4, ATTR_BYTES, true);
  attr.setBigUint64(8, BigInt(config), true);
  attr.setBigUint64(16, 1n, true); // sample_period
  set(attr);
  const bytes = new Uint8Array(attr.buffer);
  const fd = c.perf_event_open(SYS.perf_event_open, bytes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  return number(Number(fd), `open a perf event on processor ${cpu}`);
}

/** Makes a perf event write into the buffer of another one of the same CPU. */
export const sharePerfBuffer = (event: number, owner: number): void =>
  void number(c.ioctl(event, PERF_EVENT_IOC_SET_OUTPUT, owner), 'share the buffer of a perf event');

/** A datagram socket that speaks to the one that is bound to a path; @ stands for the NUL of an abstract name (unix(7)). */
export function connectDatagrams(path: string): number {
  const fd = number(c.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'make a socket');
  const name = Buffer.from(path.replace(/^@/, '\0'));
  const address = Buffer.concat([Buffer.from(Uint16Array.of(AF_UNIX).buffer), name]);
  number(c.connect(fd, address, address.length), `reach the socket ${path}`);
  return fd;
}

/** Sends one datagram. False: nobody took it. */
export function sendDatagram(fd: number, text: string): boolean {
  const bytes = Buffer.from(text);
  return Number(c.send(fd, bytes, bytes.length, MSG_NOSIGNAL)) === bytes.length;
}
