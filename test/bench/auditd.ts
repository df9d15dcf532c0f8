/**
 * auditd as a subject: run by itself in the foreground, with a configuration and a log of its own, and a rule that matches
 * only the workload. Its rule and the state of the kernel are put back afterwards. A machine that audits already is left alone.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Background } from './peer.js';
import { bytesIn } from './peers.js';
import { cpuOf } from './proc.js';
import { program, tryCommand } from './programs.js';
import { Refused, type Subject } from './subject.js';

// Its fastest: no flush, and the kernel's own text; log_format = ENRICHED and INCREMENTAL flushes are Debian's defaults.
const CONFIG = {
  local_events: 'yes',
  write_logs: 'yes',
  log_format: 'RAW',
  flush: 'NONE',
  max_log_file: '1000',
  max_log_file_action: 'IGNORE',
  space_left_action: 'IGNORE',
  admin_space_left_action: 'IGNORE',
  disk_full_action: 'IGNORE',
  disk_error_action: 'IGNORE',
};

export const auditd: Subject = {
  name: 'auditd',
  kinds: ['calls', 'signals', 'execs'],
  share: 0.01,
  async open(scene, workload) {
    const before = auditState();
    if (before.pid !== 0) throw new Refused('an audit daemon runs here already, and is left alone');
    const directory = scene.subdirectory();
    const settings = { ...CONFIG, log_file: join(directory, 'audit.log') };
    mkdirSync(join(directory, 'plugins.d'));
    writeFileSync(
      join(directory, 'auditd.conf'),
      Object.entries(settings)
        .map(([key, value]) => `${key} = ${value}\n`)
        .join(''),
      { mode: 0o600 },
    );
    const daemon = new Background(scene, directory, ['auditd', '-n', '-c', directory]);
    await daemon.ready(() => auditState().pid === daemon.pid);
    const call = workload.kind === 'execs' ? 'execve' : 'kill';
    const rule = ['always,exit', '-F', 'arch=b64', '-S', call, '-F', `exe=${program(workload.program)}`];
    const added = tryCommand('auditctl', '-a', ...rule);
    const remove = scene.defer(() => {
      tryCommand('auditctl', '-d', ...rule);
      tryCommand('auditctl', '-e', before.enabled);
    });
    if (added.status !== 0) {
      remove();
      await daemon.end('SIGTERM');
      throw new Refused(added.stderr.trim());
    }
    return {
      cpuUs: () => cpuOf(daemon.pid),
      async close({ ops }) {
        remove();
        await daemon.end('SIGTERM');
        const log = join(directory, 'audit.log');
        const records = Number(tryCommand('grep', '-c', '^type=SYSCALL', log).stdout);
        const lost = workload.program === 'getppid' ? null : Math.max(0, 1 - records / ops);
        return { lost, bytes: bytesIn(directory) };
      },
    };
  },
};

function auditState(): { enabled: string; pid: number } {
  const { status, stdout, stderr } = tryCommand('auditctl', '-s');
  if (status !== 0) throw new Refused(stderr.trim());
  const of = (key: string) => new RegExp(`^${key} (\\d+)$`, 'm').exec(stdout)?.[1] ?? '0';
  return { enabled: of('enabled'), pid: Number(of('pid')) };
}
