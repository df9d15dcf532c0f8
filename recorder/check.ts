/** `snooprec check`: each thing that recording needs, whether it is here, what is lost without it, and how to mend it. */

import { existsSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { PACKAGE_ROOT } from '../migrations/database.js';
import { SnoopError } from '../migrations/errors.js';
import { CANARIES, type Trial, tryProbes } from './canary.js';
import { unifiedRoot } from './cgroup.js';
import { callTracepoint, chooseWays, hasRegisters, hasRings, type Ways } from './kernel-ways.js';
import * as bpf from './libbpf.js';
import { lockHolder } from './lock.js';
import { neededTracepoints, RETURN_OF_ALL, RETURN_OF_EACH } from './object.js';
import { requireSafeWay } from './path-safety.js';
import { hasBpffs } from './pins.js';
import { Probes } from './probes.js';

export interface Finding {
  name: string;
  ok: boolean;
  /** Recording is impossible without it. */
  needed: boolean;
  detail: string;
  hint?: string | undefined;
}

/** Looks at everything; what cannot be tried is at least looked for. */
export async function check(db: string): Promise<Finding[]> {
  const findings = [
    kernelVersion(),
    library(),
    object(),
    kernelTypes(),
    capture(),
    returns(),
    transport(),
    cgroups(),
    bpffs(),
    program(),
  ];
  const looked = tracepoints();
  const isHopeful = canRecord([...findings, ...looked]);
  findings.push(...(isHopeful ? await trial() : looked), recorder(db));
  return findings;
}

/** Whether a recorder could run with these findings. */
export function canRecord(findings: readonly Finding[]): boolean {
  return findings.every(finding => finding.ok || !finding.needed);
}

export function findingText({ name, ok, needed, detail, hint }: Finding): string {
  const mark = ok ? 'ok  ' : needed ? 'FAIL' : 'note';
  return `${mark}  ${name.padEnd(22)} ${detail}${hint && !ok ? `\n      ${''.padEnd(22)} ${hint}` : ''}`;
}

/** Who may write the program may have root run anything. */
function program(): Finding {
  const parts = [dirname(process.argv[1] as string), join(PACKAGE_ROOT, 'node_modules'), PACKAGE_ROOT];
  return attempt('program files', false, () => {
    for (const part of parts) if (existsSync(part)) requireSafeWay(part);
    return `only root can write ${PACKAGE_ROOT}`;
  });
}

function kernelVersion(): Finding {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const ok = major > 5 || (major === 5 && minor >= 8);
  return {
    name: 'kernel',
    ok,
    needed: true,
    detail: release(),
    hint: 'Linux 5.8 or later is needed, for the clock and the task iterator of BPF',
  };
}

function library(): Finding {
  return attempt('libbpf', true, () => bpf.version());
}

function object(): Finding {
  const path = join(PACKAGE_ROOT, 'dist', 'snooprec.bpf.o');
  const ok = existsSync(path);
  return {
    name: 'compiled probes',
    ok,
    needed: true,
    detail: ok ? path : `${path} is missing`,
    hint: 'npm run build',
  };
}

function kernelTypes(): Finding {
  const ok = existsSync('/sys/kernel/btf/vmlinux');
  const detail = ok ? '/sys/kernel/btf/vmlinux' : 'the kernel has none';
  return {
    name: 'type information (BTF)',
    ok,
    needed: true,
    detail,
    hint: 'boot a kernel built with CONFIG_DEBUG_INFO_BTF=y',
  };
}

/** What `auto` chooses here. */
function ways(): Ways {
  return chooseWays({ capture: 'auto', returns: 'auto', transport: 'auto' });
}

function capture(): Finding {
  return attempt('calls in progress', false, () =>
    hasRegisters()
      ? 'regs: the kernel lets a probe read the registers that a task saved (bpf_task_pt_regs)'
      : 'hash: the kernel has no bpf_task_pt_regs, so the entry of each call that matters is noted in a map',
  );
}

function returns(): Finding {
  const name = 'returns of calls';
  try {
    const each = ways().returns === 'each';
    const detail = each
      ? 'each: of the calls that matter, by the 64-bit table; `--returns all` sees those of 32-bit programs, too'
      : 'all: of every call, which costs each of them some 30 ns';
    const hint =
      'a tracepoint for each call needs Linux 5.15 and tracefs: mount -t tracefs none /sys/kernel/tracing';
    return { name, ok: each, needed: false, detail, hint };
  } catch (error) {
    return failure(name, false, error);
  }
}

function transport(): Finding {
  const name = 'lanes';
  try {
    const ok = hasRings();
    const detail = ok
      ? 'ring: the kernel has BPF ring buffers'
      : 'perf: the kernel has no BPF ring buffers; perf event buffers cannot be pinned, so a recorder that is killed leaves a gap';
    return { name, ok, needed: false, detail, hint: 'Linux 5.8 or later has ring buffers' };
  } catch (error) {
    return { name, ok: false, needed: true, detail: (error as Error).message };
  }
}

function tracepoints(): Finding[] {
  try {
    const needed = neededTracepoints({ ...ways(), countSyscalls: false });
    const found = bpf.kernelTracepoints(needed);
    return needed.map(name => {
      const ok = found.has(name) || callTracepoint(name) !== null;
      return {
        name,
        ok,
        needed: true,
        detail: ok ? 'tracepoint' : 'the kernel does not have this tracepoint',
      };
    });
  } catch {
    return []; // without libbpf, the probes or BTF, which have findings of their own
  }
}

function cgroups(): Finding {
  const root = unifiedRoot();
  return {
    name: 'cgroup hierarchy',
    ok: root !== null,
    needed: false,
    detail: root ?? 'not mounted: units and containers stay unknown',
    hint: 'mount -t cgroup2 none /sys/fs/cgroup',
  };
}

function bpffs(): Finding {
  return {
    name: 'BPF file system',
    ok: hasBpffs(),
    needed: false,
    detail: 'keeps recording while the recorder is down',
    hint: 'mount -t bpf bpf /sys/fs/bpf; without it a killed recorder leaves a gap',
  };
}

/** The proof: loads and attaches every probe for this process alone, has each of them see something, and takes them off. */
async function trial(): Promise<Finding[]> {
  let probes: Probes | undefined;
  try {
    probes = Probes.load(
      {
        scope: { kind: 'tree', root: process.pid, command: ['check'] },
        argsBytes: 4096,
        lethalBytes: 64 << 10,
        bulkBytes: 256 << 10,
        countSyscalls: false,
        ...ways(),
      },
      null,
    );
    const tried = await tryProbes(probes);
    return probeFindings([...probes.report.map(({ name }) => name), 'task iterator'], tried);
  } catch (error) {
    return [failure('trial of the probes', true, error)];
  } finally {
    probes?.detach();
    probes?.release();
  }
}

/** What a trial says of each probe. */
export function probeFindings(probes: readonly string[], { seen, untried, malformed }: Trial): Finding[] {
  const findings = probes.map((name): Finding => {
    const why = untried.get(name);
    if (why !== undefined)
      return { name, ok: true, needed: true, detail: `attached; cannot be tried: ${why}` };
    const asked = CANARIES.filter(({ probe }) => probe === name || isReturn(name, probe));
    if (asked.length === 0)
      return { name, ok: true, needed: true, detail: 'attached; nothing here tries it' };
    const missed = asked.filter(canary => !seen.has(canary));
    const told = (canaries: typeof asked) => canaries.map(({ what }) => what).join(', ');
    return {
      name,
      ok: missed.length === 0,
      needed: true,
      detail: missed.length === 0 ? `works: saw ${told(asked)}` : `attached, but did not see ${told(missed)}`,
      hint: 'the kernel refused or skipped the program: dmesg may say why; `snooprec --verbose check` tells more',
    };
  });
  if (malformed > 0) {
    findings.push({
      name: 'decoding',
      ok: false,
      needed: true,
      detail: `${malformed} records could not be decoded`,
      hint: 'build the probes and the recorder anew: npm run build',
    });
  }
  return findings;
}

/** The one probe on the return of all calls sees what those of single calls see. */
function isReturn(name: string, probe: string): boolean {
  return name === RETURN_OF_ALL && probe.startsWith(RETURN_OF_EACH);
}

function recorder(db: string): Finding {
  try {
    const holder = lockHolder(db);
    return {
      name: 'recorder',
      ok: true,
      needed: false,
      detail: holder ? `process ${holder.pid} records into ${db}` : 'none runs',
    };
  } catch (error) {
    return { name: 'recorder', ok: false, needed: false, detail: (error as Error).message };
  }
}

function attempt(name: string, needed: boolean, work: () => string): Finding {
  try {
    return { name, ok: true, needed, detail: work() };
  } catch (error) {
    return failure(name, needed, error);
  }
}

function failure(name: string, needed: boolean, error: unknown): Finding {
  const hint = error instanceof SnoopError ? error.hint : undefined;
  return { name, ok: false, needed, detail: (error as Error).message, hint };
}
