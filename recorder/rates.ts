/** Events and rows a second, over the time from one beat to the next. */
const SPAN_MS = 1_000;

export class Rates {
  events = 0;
  rows = 0;
  /** The last beat; performance.now(). */
  at = performance.now();
  #seen = 0;
  #stored = 0;

  /**
   * A beat, unless the last one was less than a second ago.
   * @param seen   events in all
   * @param stored rows in all
   */
  beat(seen: number, stored: number): void {
    const now = performance.now();
    const passed = now - this.at;
    if (passed < SPAN_MS) return;
    this.events = ((seen - this.#seen) / passed) * 1000;
    this.rows = ((stored - this.#stored) / passed) * 1000;
    this.at = now;
    this.#seen = seen;
    this.#stored = stored;
  }
}
