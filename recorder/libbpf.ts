/**
 * The C side: libbpf.so.1, and the few calls of the C library that Node does not offer. The only file that knows koffi;
 * what it hands out are numbers, array buffers and opaque handles. A null pointer or a negative return is a SnoopError here,
 * and never reaches a caller.
 */

import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import koffi from 'koffi';
import { SnoopError } from '../migrations/errors.js';

/** A pointer of libbpf: an object, a program, a map or a link. */
export type Handle = { readonly handle: unique symbol };

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
const PR_CAPBSET_DROP = 24; // include/uapi/linux/prctl.h
const PR_SET_NO_NEW_PRIVS = 38;
const BTF_KIND_STRUCT = 4;
const BTF_KIND_TYPEDEF = 8;

const libc = koffi.load(null);
const timespec = koffi.struct('timespec', { sec: 'int64_t', nsec: 'int64_t' });
const c = {
  mmap: libc.func('void *mmap(void *at, size_t bytes, int prot, int flags, int fd, int64_t offset)'),
  munmap: libc.func('int munmap(void *at, size_t bytes)'),
  flock: libc.func('int flock(int fd, int operation)'),
  clock_gettime: libc.func('clock_gettime', 'int', ['int', koffi.out(koffi.pointer(timespec))]),
  mount: libc.func(
    'int mount(const char *source, const char *target, const char *type, unsigned long flags, void *data)',
  ),
  epoll_create1: libc.func('int epoll_create1(int flags)'),
  epoll_ctl: libc.func('int epoll_ctl(int epoll, int operation, int fd, const void *event)'),
  epoll_wait: libc.func('int epoll_wait(int epoll, void *events, int count, int timeout_ms)'),
  eventfd: libc.func('int eventfd(unsigned int start, int flags)'),
  syscall: libc.func(
    'int64_t syscall(int64_t number, int64_t signal, const void *action, void *before, size_t set_bytes)',
  ),
  prctl: libc.func(
    'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
  ),
  sysconf: libc.func('int64_t sysconf(int name)'),
  vsnprintf: libc.func('int vsnprintf(_Out_ char *text, size_t bytes, const char *format, void *args)'),
};

/** libbpf's own words about what went wrong, oldest first; the last 200 lines. */
const messages: string[] = [];

type Functions = ReturnType<typeof bind>;
let bound: Functions | undefined;

function bpf(): Functions {
  bound ??= bind();
  return bound;
}

function bind() {
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load('libbpf.so.1');
  } catch (cause) {
    throw new SnoopError(
      'library',
      'cannot load libbpf.so.1',
      'install it: apt-get install libbpf1 (Fedora: libbpf)',
      cause,
    );
  }
  const print = koffi.pointer(koffi.proto('int snoop_print(int level, const char *format, void *args)'));
  library.func('libbpf_set_print', 'void *', [print])(koffi.register(keepMessage, print));
  return {
    version: library.func('const char *libbpf_version_string()'),
    openFile: library.func('void *bpf_object__open_file(const char *path, void *options)'),
    load: library.func('int bpf_object__load(void *object)'),
    close: library.func('void bpf_object__close(void *object)'),
    findProgram: library.func('void *bpf_object__find_program_by_name(void *object, const char *name)'),
    nextProgram: library.func('void *bpf_object__next_program(void *object, void *before)'),
    programName: library.func('const char *bpf_program__name(void *program)'),
    sectionName: library.func('const char *bpf_program__section_name(void *program)'),
    findMap: library.func('void *bpf_object__find_map_by_name(void *object, const char *name)'),
    objectBtf: library.func('void *bpf_object__btf(void *object)'),
    setAutoload: library.func('int bpf_program__set_autoload(void *program, bool autoload)'),
    attach: library.func('void *bpf_program__attach(void *program)'),
    attachIterator: library.func('void *bpf_program__attach_iter(void *program, void *options)'),
    pinLink: library.func('int bpf_link__pin(void *link, const char *path)'),
    pin: library.func('int bpf_obj_pin(int fd, const char *path)'),
    get: library.func('int bpf_obj_get(const char *path)'),
    linkFd: library.func('int bpf_link__fd(void *link)'),
    destroyLink: library.func('int bpf_link__destroy(void *link)'),
    createIterator: library.func('int bpf_iter_create(int link_fd)'),
    mapFd: library.func('int bpf_map__fd(void *map)'),
    setMaxEntries: library.func('int bpf_map__set_max_entries(void *map, uint32_t entries)'),
    initialValue: library.func('void *bpf_map__initial_value(void *map, _Out_ size_t *bytes)'),
    updateElement: library.func(
      'int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)',
    ),
    nextKey: library.func('int bpf_map_get_next_key(int fd, const void *key, _Out_ uint8_t *next)'),
    lookup: library.func('int bpf_map_lookup_elem(int fd, const void *key, _Out_ uint8_t *value)'),
    possibleCpus: library.func('int libbpf_num_possible_cpus()'),
    kernelBtf: library.func('void *btf__load_vmlinux_btf()'),
    findType: library.func('int btf__find_by_name_kind(void *btf, const char *name, uint32_t kind)'),
    resolveSize: library.func('int64_t btf__resolve_size(void *btf, uint32_t type)'),
    freeBtf: library.func('void btf__free(void *btf)'),
  };
}

function keepMessage(_level: number, format: string, args: unknown): number {
  const text = Buffer.alloc(4096);
  c.vsnprintf(text, text.length, format, args);
  messages.push(text.toString('utf8', 0, Math.max(0, text.indexOf(0))).trimEnd());
  if (messages.length > 200) messages.shift();
  return 0;
}

/** What libbpf has said since the last call. */
export function takeMessages(): string[] {
  return messages.splice(0);
}

function errnoName(errno: number): string {
  const known = Object.entries(constants.errno).find(([, value]) => value === errno);
  return known ? known[0] : `errno ${errno}`;
}

/** A pointer, or a SnoopError that says what could not be had. */
function pointer(value: unknown, what: string): Handle {
  if (value) return value as Handle;
  throw kernelError(what, koffi.errno());
}

/** A number that is not negative, or a SnoopError. */
function number(value: number, what: string): number {
  if (value >= 0) return value;
  throw kernelError(what, -value > 1 ? -value : koffi.errno());
}

function kernelError(what: string, errno: number): SnoopError {
  const denied = errno === constants.errno.EPERM || errno === constants.errno.EACCES;
  return new SnoopError(
    denied ? 'privilege' : 'kernel',
    `cannot ${what}: ${errnoName(errno)}`,
    denied
      ? 'run it as root, or with CAP_BPF and CAP_PERFMON'
      : '`snooprec check` tells what this kernel lacks',
    new Error(takeMessages().slice(-12).join('\n')),
  );
}

export const version = (): string => bpf().version();
export const possibleCpus = (): number => number(bpf().possibleCpus(), 'count the processors');

/** Opens a BPF object file; nothing reaches the kernel yet. */
export const openObject = (path: string): Handle => pointer(bpf().openFile(path, null), `open ${path}`);
export const loadObject = (object: Handle): void =>
  void number(bpf().load(object), 'load the probes into the kernel');
export const closeObject = (object: Handle): void => bpf().close(object);
export const program = (object: Handle, name: string): Handle =>
  pointer(bpf().findProgram(object, name), `find program ${name} in the object`);
export const map = (object: Handle, name: string): Handle =>
  pointer(bpf().findMap(object, name), `find map ${name} in the object`);
export const attach = (prog: Handle, name: string): Handle =>
  pointer(bpf().attach(prog), `attach probe ${name}`);
export const detach = (link: Handle): void => void bpf().destroyLink(link);
export const mapFd = (of: Handle): number => number(bpf().mapFd(of), 'get the descriptor of a map');
/** max_entries of a map, for a ring its bytes: the kernel tells it of any descriptor, also of a map that another made. */
export function maxEntriesOf(fd: number): number {
  const entries = /^max_entries:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
  if (entries !== undefined) return Number(entries);
  throw new SnoopError('kernel', `descriptor ${fd} is no BPF map`);
}
export const setMaxEntries = (of: Handle, entries: number): void =>
  void number(bpf().setMaxEntries(of, entries), 'size a map');
export const updateElement = (fd: number, key: Uint8Array, value: Uint8Array): void =>
  void number(bpf().updateElement(fd, key, value, 0), 'write into a map');

/** The programs of an object: `section` says what each hangs on, as `tp_btf/signal_generate`. */
export function programs(object: Handle): { handle: Handle; name: string; section: string }[] {
  const found = [];
  for (let handle = bpf().nextProgram(object, null); handle; handle = bpf().nextProgram(object, handle)) {
    found.push({
      handle: handle as Handle,
      name: bpf().programName(handle),
      section: bpf().sectionName(handle),
    });
  }
  return found;
}

/** Keeps a program of the object from being loaded. */
export const leaveOut = (prog: Handle): void =>
  void number(bpf().setAutoload(prog, false), 'leave a program out');

/** The entries of a hash map from u32 to u64. Entries that come or go meanwhile may be told or not. */
export function* countsIn(fd: number): IterableIterator<[key: number, count: number]> {
  const key = new Uint32Array(1);
  const value = new BigUint64Array(1);
  const bytes = new Uint8Array(key.buffer);
  for (let before: Uint8Array | null = null; bpf().nextKey(fd, before, bytes) === 0; before = bytes) {
    if (bpf().lookup(fd, bytes, new Uint8Array(value.buffer)) === 0)
      yield [key[0] as number, Number(value[0])];
  }
}

/** The initial bytes of a data section, to be changed before the object is loaded. */
export function initialValue(of: Handle): ArrayBuffer {
  const bytes = [0];
  const at = pointer(bpf().initialValue(of, bytes), 'set the options of the probes');
  return koffi.view(at, bytes[0] as number);
}

/** Attaches an iterator program. */
export const attachIterator = (prog: Handle, name: string): Handle =>
  pointer(bpf().attachIterator(prog, null), `attach ${name}`);
/** A file descriptor to read what an attached iterator tells, until its end; the caller closes it. */
export const readIterator = (link: Handle): number =>
  number(bpf().createIterator(bpf().linkFd(link)), 'run an iterator');

/** Keeps a map alive under a path in bpffs, whoever made it. */
export const pinMap = (of: Handle, path: string): void =>
  void number(bpf().pin(mapFd(of), path), `pin ${path}`);
/** Keeps a program attached as long as the path is there. */
export const pinLink = (link: Handle, path: string): void =>
  void number(bpf().pinLink(link, path), `pin ${path}`);
/** A descriptor of a pinned object. */
export const openPinned = (path: string): number => number(bpf().get(path), `open ${path}`);

/** Mounts a BPF file system. */
export const mountBpffs = (path: string): void =>
  void number(c.mount('bpf', path, 'bpf', 0, null), `mount a BPF file system on ${path}`);

/** Size of a struct in the BTF of an object, 0 if it is not there. */
export function structBytes(object: Handle, name: string): number {
  const btf = bpf().objectBtf(object);
  const type = btf ? bpf().findType(btf, name, BTF_KIND_STRUCT) : -1;
  return type > 0 ? Number(bpf().resolveSize(btf, type)) : 0;
}

/** Which of these tracepoints the running kernel describes in its BTF; throws when it has no BTF at all. */
export function kernelTracepoints(names: readonly string[]): Set<string> {
  const btf = pointer(bpf().kernelBtf(), 'read the type information (BTF) of the kernel');
  const found = names.filter(name => bpf().findType(btf, `btf_trace_${name}`, BTF_KIND_TYPEDEF) > 0);
  bpf().freeBtf(btf);
  return new Set(found);
}

/** Size of a page of memory. */
export const pageBytes = (): number => Number(c.sysconf(SC_PAGESIZE));

/** Memory shared with the kernel or another process; valid until the process ends. */
export function mapMemory(fd: number, bytes: number, offset: number, writable: boolean): ArrayBuffer {
  const at = c.mmap(null, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, offset);
  if (BigInt.asIntN(64, BigInt(koffi.address(at))) === -1n)
    throw kernelError('map memory of the kernel', koffi.errno());
  return koffi.view(at, bytes);
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
  if (koffi.errno() === constants.errno.EWOULDBLOCK) return false;
  throw kernelError('lock a file', koffi.errno());
}

/**
 * Ignores a signal that somebody sends; one that the kernel forces on us for a fault still ends the process. By the bare
 * system call, since Node knows no real-time signals, and the C library keeps two of them to itself.
 */
export function ignoreSignal(signal: number): void {
  const number = { x64: 13, arm64: 134 }[process.arch as string];
  const action = BigUint64Array.of(SIG_IGN, 0n, 0n, 0n); // struct sigaction of the kernel: handler, flags, restorer, mask
  if (number !== undefined) c.syscall(number, signal, action, null, 8);
}

/** No program that this thread, and threads that it makes later, executes gains privileges. */
export const forbidNewPrivileges = (): void => void c.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

/** Takes capabilities from what this thread executes from now on, and the way to get them back; those that the kernel does not know it refuses. */
export function giveUpForChildren(capabilities: readonly number[]): void {
  for (const capability of capabilities) c.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  forbidNewPrivileges();
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
