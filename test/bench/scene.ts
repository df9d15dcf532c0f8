/** Where a measurement takes place: a temporary directory, and what has to be undone when it is over or interrupted. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Scene {
  readonly directory = mkdtempSync(join(tmpdir(), 'snooprec-bench-'));
  readonly #undo: (() => void)[] = [];
  #number = 0;

  /** A fresh directory within it. */
  subdirectory(): string {
    const path = join(this.directory, String(this.#number++));
    mkdirSync(path, { mode: 0o700 });
    return path;
  }

  /** Has `undo` done at the end, unless the function that is returned does it before. It must be able to be done at once. */
  defer(undo: () => void): () => void {
    const once = () => {
      const at = this.#undo.indexOf(once);
      if (at < 0) return;
      this.#undo.splice(at, 1);
      undo();
    };
    this.#undo.push(once);
    return once;
  }

  close(): void {
    for (const undo of [...this.#undo].reverse()) undo();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
