/** F14: who holds the lock of the live segment, on purpose or not, costs no record: after two seconds there is a new segment. */

import { test } from 'node:test';
import { cannotRecord, Lab } from '../kernel/lab.js';
import { HOLDERS, heldFor } from './storage-held.js';

for (const [what, hold] of HOLDERS) {
  test(`F14: ${what} stops nothing`, { skip: cannotRecord }, t => heldFor(t, Lab.open(t), hold, 4_000));
}
