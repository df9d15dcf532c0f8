/** libbpf.so.1: objects, programs, maps, links, pins, type information, and what the kernel offers of them. */

import { readFileSync } from 'node:fs';
import { SnoopError } from '../migrations/errors.js';
import { callback, type Handle, keepMessage, number, openLibrary, pointer, view } from './ffi.js';

export type { Handle } from './ffi.js';

const BPF_PERF_EVENT = 41; // include/uapi/linux/bpf.h, enum bpf_attach_type
const BTF_KIND_STRUCT = 4;
const BTF_KIND_TYPEDEF = 8;

type Functions = ReturnType<typeof bind>;
let bound: Functions | undefined;

function bpf(): Functions {
  bound ??= bind();
  return bound;
}

function bind() {
  let library: ReturnType<typeof openLibrary>;
  try {
    library = openLibrary('libbpf.so.1');
  } catch (cause) {
    throw new SnoopError(
      'library',
      'cannot load libbpf.so.1',
      'install it: apt-get install libbpf1 (Fedora: libbpf)',
      cause,
    );
  }
  const print = callback('int snoop_print(int level, const char *format, void *args)', sayTo());
  library.func('libbpf_set_print', 'void *', [print.type])(print.pointer);
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
    setAutocreate: library.func('int bpf_map__set_autocreate(void *map, bool autocreate)'),
    probeHelper: library.func('int libbpf_probe_bpf_helper(int program, int helper, const void *options)'),
    probeMap: library.func('int libbpf_probe_bpf_map_type(int type, const void *options)'),
    setAutoload: library.func('int bpf_program__set_autoload(void *program, bool autoload)'),
    attach: library.func('void *bpf_program__attach(void *program)'),
    attachIterator: library.func('void *bpf_program__attach_iter(void *program, void *options)'),
    programFd: library.func('int bpf_program__fd(void *program)'),
    createLink: library.func('int bpf_link_create(int program, int target, int type, const void *options)'),
    pin: library.func('int bpf_obj_pin(int fd, const char *path)'),
    get: library.func('int bpf_obj_get(const char *path)'),
    linkFd: library.func('int bpf_link__fd(void *link)'),
    disconnectLink: library.func('void bpf_link__disconnect(void *link)'),
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

function sayTo(): (level: number, format: string, args: unknown) => number {
  const vsnprintf = openLibrary(null).func(
    'int vsnprintf(_Out_ char *text, size_t bytes, const char *format, void *args)',
  );
  const text = Buffer.alloc(4096);
  return (_level, format, args) => {
    vsnprintf(text, text.length, format, args);
    keepMessage(text.toString('utf8', 0, Math.max(0, text.indexOf(0))).trimEnd());
    return 0;
  };
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
/** Hangs a program on the BTF tracepoint that its section names. The descriptor of the link: it hangs there until that is closed. */
export const attach = (prog: Handle, name: string): number =>
  descriptorOf(pointer(bpf().attach(prog), `attach probe ${name}`));
/** Hangs a program on a perf event, which may be closed then. The descriptor of the link. */
export const attachToPerfEvent = (prog: Handle, event: number, name: string): number =>
  number(bpf().createLink(bpf().programFd(prog), event, BPF_PERF_EVENT, null), `attach probe ${name}`);
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

/** Keeps a map of the object from being made: no program that is loaded reaches it. */
export const leaveOutMap = (of: Handle): void =>
  void number(bpf().setAutocreate(of, false), 'leave a map out');

const BPF_PROG_TYPE_RAW_TRACEPOINT = 17;

/**
 * Whether the kernel offers a helper to programs on tracepoints. Asked for raw ones: libbpf cannot ask for those with BTF, and
 * both have the same (kernel/trace/bpf_trace.c, bpf_tracing_func_proto).
 */
export const hasHelper = (helper: number): boolean =>
  number(bpf().probeHelper(BPF_PROG_TYPE_RAW_TRACEPOINT, helper, null), 'ask the kernel for a helper') === 1;
/** Whether the kernel offers a type of maps. */
export const hasMapType = (type: number): boolean =>
  number(bpf().probeMap(type, null), 'ask the kernel for a type of maps') === 1;

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
  return view(at, bytes[0] as number);
}

/** Attaches an iterator program. The descriptor of the link. */
export const attachIterator = (prog: Handle, name: string): number =>
  descriptorOf(pointer(bpf().attachIterator(prog, null), `attach ${name}`));
/** A file descriptor to read what an attached iterator tells, until its end; the caller closes it. */
export const readIterator = (link: number): number => number(bpf().createIterator(link), 'run an iterator');

/** What a link of libbpf holds open, without libbpf. */
function descriptorOf(link: Handle): number {
  const fd = number(bpf().linkFd(link), 'get the descriptor of a link');
  bpf().disconnectLink(link);
  bpf().destroyLink(link);
  return fd;
}

/** Keeps a map alive, or the program of a link attached, as long as a path in bpffs is there. */
export const pin = (fd: number, path: string): void => void number(bpf().pin(fd, path), `pin ${path}`);
/** A descriptor of a pinned object. */
export const openPinned = (path: string): number => number(bpf().get(path), `open ${path}`);

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
