/**
 * What a recorder tells the service manager that started it: that it records, that it ends, and that it still moves. The
 * protocol is sd_notify(3): words in datagrams to the socket that NOTIFY_SOCKET names.
 */

import { closeSync } from 'node:fs';
import { connectDatagrams, sendDatagram } from './libc.js';

export class ServiceManager {
  readonly #socket: number;
  #watchdog: NodeJS.Timeout | undefined;

  private constructor(socket: number) {
    this.#socket = socket;
  }

  /** The one that waits for words; null: there is none. */
  static of(env: NodeJS.ProcessEnv): ServiceManager | null {
    const path = env['NOTIFY_SOCKET'];
    return path ? new ServiceManager(connectDatagrams(path)) : null;
  }

  /**
   * Tells that it records; and from now on, if a watchdog waits, that it still does.
   * @param lastMove when the lanes were last read and the store last gave an answer, performance.now()
   */
  ready(env: NodeJS.ProcessEnv, lastMove: () => number): void {
    sendDatagram(this.#socket, 'READY=1');
    const patienceMs = watchdogMs(env);
    if (patienceMs === null) return;
    // More often than half of the time, as sd_watchdog_enabled(3) advises; and not when nothing moved for so long.
    this.#watchdog = setInterval(() => {
      if (isMoving(performance.now(), lastMove(), patienceMs)) sendDatagram(this.#socket, 'WATCHDOG=1');
    }, patienceMs / 4);
  }

  stopping(): void {
    clearInterval(this.#watchdog);
    sendDatagram(this.#socket, 'STOPPING=1');
    closeSync(this.#socket);
  }
}

/** Whether there was a sign of life in the last half of the time that a watchdog waits. */
export function isMoving(now: number, lastMove: number, patienceMs: number): boolean {
  return now - lastMove < patienceMs / 2;
}

/** How long a watchdog waits for a sign of life, ms; null: there is none, or it watches another process. */
function watchdogMs(env: NodeJS.ProcessEnv): number | null {
  const isOurs = env['WATCHDOG_PID'] === undefined || env['WATCHDOG_PID'] === String(process.pid);
  const us = Number(env['WATCHDOG_USEC']);
  return isOurs && us > 0 ? us / 1000 : null;
}
