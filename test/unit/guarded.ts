/** Memory that throws where a record is read outside of its bytes. */

import { type Memory, memoryOf } from '../../recorder/lane.js';

type View = Uint8Array | Int32Array | Uint32Array;

/** The record at offset 8 of a memory in which nothing else may be touched. */
export function guardedMemory(record: Uint8Array): Memory {
  const bytes = new Uint8Array(8 + ((record.length + 7) & ~7));
  bytes.set(record, 8);
  const { u8, i32, u32 } = memoryOf(bytes.buffer);
  const end = 8 + record.length;
  return { u8: guarded(u8, 8, end), i32: guarded(i32, 2, end >> 2), u32: guarded(u32, 2, end >> 2) };
}

function guarded<T extends View>(view: T, from: number, to: number): T {
  const check = (start: number, end: number) => {
    if (start < from || end > to || start > end)
      throw new RangeError(`read ${start}…${end} outside of ${from}…${to}`);
  };
  return new Proxy(view, {
    get(target, key) {
      if (typeof key === 'string' && /^-?\d/.test(key)) {
        check(Number(key), Number(key) + 1);
        return Reflect.get(target, key, target);
      }
      if (key === 'subarray') {
        return (start: number, end: number) => {
          check(start, end);
          return target.subarray(start, end);
        };
      }
      throw new TypeError(`a record is read by index and subarray, not by ${String(key)}`);
    },
  });
}
