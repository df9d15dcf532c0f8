/** A signal that a thread took from its queue becomes a row of `delivery`. */

import { EvDelivery, SnoopDisposition } from '../../bpf/wire.gen.js';
import type { Context } from '../context.js';
import { type EventSpec, Fate } from '../event-spec.js';
import type { Memory } from '../lane.js';
import { addCounted, countRepeat } from './counted-row.js';
import { DELIVERY_TABLE, setDelivery } from './delivery-row.js';

export const delivery: EventSpec = {
  name: 'delivery',
  bytes: EvDelivery.bytes,
  parts: [],
  table: DELIVERY_TABLE,
  apply,
};

function apply(context: Context, memory: Memory, at: number): Fate {
  if (countRepeat(context, DELIVERY_TABLE, memory, at, EvDelivery.bytes)) return Fate.folded;
  const process = context.identity.at(memory, at + EvDelivery.h_key_start);
  if (process === null) return Fate.malformed;
  const tid = memory.i32[(at + EvDelivery.h_key_tid) >> 2] as number;
  const action = memory.u32[(at + EvDelivery.action) >> 2] as number;
  if (action === SnoopDisposition.DEFAULT) process.tookDefault = true;
  setDelivery(context, memory, at + EvDelivery.info_sig, process, tid, action);
  return addCounted(context, DELIVERY_TABLE, memory, at, EvDelivery.bytes, true);
}
