/** What keeps the probes on their tracepoints: a descriptor of a link for each, or a pin. */

import { closeSync } from 'node:fs';
import { SnoopError } from '../migrations/errors.js';
import { callTracepoint } from './kernel-ways.js';
import * as bpf from './libbpf.js';
import { openTracepoint } from './libc.js';
import { type Probe, RETURN_OF_EACH } from './object.js';
import { onlineCpus } from './perf-events.js';
import { closePinned, linkPath, type PinSet, unpinLinks } from './pins.js';

export class Links {
  readonly #pins: PinSet | null;
  readonly #descriptors: number[] = [];
  /** Of links on perf events. */
  readonly #slow: number[] = [];
  readonly #cpu = onlineCpus()[0] as number;

  /** @param pins where the links are pinned; null: they end with this process */
  constructor(pins: PinSet | null) {
    this.#pins = pins;
  }

  /** Holds another link until the end. */
  keep(link: number): void {
    this.#descriptors.push(link);
  }

  /** Hangs a program on its tracepoint. */
  attach({ program, tracepoint }: Probe): void {
    const isOfCall = tracepoint.startsWith(RETURN_OF_EACH);
    const link = isOfCall ? this.#attachToCall(program, tracepoint) : bpf.attach(program, tracepoint);
    (isOfCall ? this.#slow : this.#descriptors).push(link);
    if (this.#pins) bpf.pin(link, linkPath(this.#pins, tracepoint));
  }

  #attachToCall(program: bpf.Handle, tracepoint: string): number {
    const id = callTracepoint(tracepoint);
    if (id === null) {
      const hint = 'mount -t tracefs none /sys/kernel/tracing, or start with --returns all';
      throw new SnoopError('kernel', `the tracepoint ${tracepoint} is missing`, hint);
    }
    const event = openTracepoint(id, this.#cpu);
    try {
      return bpf.attachToPerfEvent(program, event, tracepoint);
    } finally {
      closeSync(event);
    }
  }

  /**
   * Takes the programs off. Whoever closes the last descriptor of a link on a perf event waits for it, some 70 ms
   * (kernel/trace/trace_event_perf.c, perf_trace_event_unreg); the links that are pins last are ended by a worker of the
   * kernel, within a second. So these are closed while they are pinned, if only for a moment.
   */
  detach(): void {
    for (const link of this.#slow.splice(0)) {
      if (this.#pins) closeSync(link);
      else closePinned(link, path => bpf.pin(link, path));
    }
    if (this.#pins) unpinLinks(this.#pins);
    for (const link of this.#descriptors.splice(0)) closeSync(link);
  }
}
