/** A reporter for node:test that says, at the end and in a line a reason, how many tests were skipped. */
export default async function* skips(events) {
  const reasons = new Map();
  for await (const { type, data } of events) {
    if (type !== 'test:pass' || data.skip === undefined || data.skip === false) continue;
    const reason = typeof data.skip === 'string' ? data.skip : 'no reason given';
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  for (const [reason, count] of reasons) yield `skipped ${count}: ${reason}\n`;
}
