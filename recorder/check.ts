/** `snooprec check`: each thing that recording needs, whether it is here, what is lost without it, and how to mend it. */

import { existsSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../migrations/database.js';
import { SnoopError } from '../migrations/errors.js';
import { unifiedRoot } from './cgroup.js';
import * as bpf from './libbpf.js';
import { lockHolder } from './lock.js';
import { hasBpffs } from './pins.js';
import { neededTracepoints, Probes } from './probes.js';

export interface Finding {
  name: string;
  ok: boolean;
  /** Recording is impossible without it. */
  needed: boolean;
  detail: string;
  hint?: string | undefined;
}

/** Looks at everything; stops early only where the rest cannot be looked at. */
export function check(db: string): Finding[] {
  const findings = [
    kernelVersion(),
    library(),
    object(),
    kernelTypes(),
    ...tracepoints(),
    cgroups(),
    bpffs(),
  ];
  if (findings.every(finding => finding.ok || !finding.needed)) findings.push(attach());
  findings.push(recorder(db));
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

function kernelVersion(): Finding {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const ok = major > 5 || (major === 5 && minor >= 15);
  return { name: 'kernel', ok, needed: true, detail: release(), hint: 'Linux 5.15 or later is needed' };
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

function tracepoints(): Finding[] {
  try {
    const needed = neededTracepoints(false);
    const found = bpf.kernelTracepoints(needed);
    return needed.map(name => ({
      name,
      ok: found.has(name),
      needed: true,
      detail: found.has(name) ? 'tracepoint' : 'the kernel does not have this tracepoint',
    }));
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

/** The proof: loads and attaches every probe, recording nothing, and takes them off again. */
function attach(): Finding {
  return attempt('load and attach', true, () => {
    const nothing = { kind: 'tree', root: 0, command: 'check' } as const;
    const probes = Probes.load(
      { scope: nothing, argsBytes: 0, lethalBytes: 64 << 10, bulkBytes: 64 << 10, countSyscalls: false },
      null,
    );
    probes.detach();
    probes.release();
    return `all ${probes.report.length} probes were attached, and taken off again`;
  });
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
    const hint = error instanceof SnoopError ? error.hint : undefined;
    return { name, ok: false, needed, detail: (error as Error).message, hint };
  }
}
