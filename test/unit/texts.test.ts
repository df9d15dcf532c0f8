import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Texts, untilNul } from '../../recorder/texts.js';
import { strings } from './records.js';

const fresh = () => new Texts({ comm: 1, path: 1, argv: 1 });
const padded = (name: string) => Buffer.concat([Buffer.from(name), Buffer.alloc(16 - name.length)]);

test('the same bytes have the same id and one row, other bytes another', () => {
  const texts = fresh();
  assert.equal(texts.comm(padded('bash')), 1);
  assert.equal(texts.comm(padded('sleep')), 2);
  assert.equal(texts.comm(padded('bash')), 1);
  assert.deepEqual(texts.comms.added, [
    { id: 1, values: ['bash', null] },
    { id: 2, values: ['sleep', null] },
  ]);
});

test('a command name ends at its first NUL, whatever lies behind', () => {
  const texts = fresh();
  assert.equal(texts.comm(Buffer.from('bash\0leftover!!!')), texts.comm(padded('bash')));
});

test('ids go on where the database ends, each table for itself', () => {
  const texts = new Texts({ comm: 10, path: 20, argv: 30 });
  assert.equal(texts.comm(padded('a')), 10);
  assert.equal(texts.path(Buffer.from('/a')), 20);
  assert.equal(texts.argv(strings(['a']), 2), 30);
});

test('no bytes are no path', () => {
  const texts = fresh();
  assert.equal(texts.path(Buffer.alloc(0)), null);
  assert.equal(texts.paths.added.length, 0);
});

test('an argument vector is a JSON array with its length in the process', () => {
  const texts = fresh();
  const block = strings(['sh', '-c', '', 'echo "ü"']);
  texts.argv(block, block.length);
  assert.deepEqual(texts.argvs.added, [{ id: 1, values: ['["sh","-c","","echo \\"ü\\""]', 17, null] }]);
});

test('a cut vector is another one than a whole one of the same bytes', () => {
  const texts = fresh();
  const block = strings(['cat', 'file']);
  const whole = texts.argv(block, block.length);
  const cut = texts.argv(block, 100_000);
  assert.notEqual(whole, cut);
  assert.equal(texts.argv(block, 100_000), cut);
  assert.equal(texts.argvs.added[1]?.values[1], 100_000);
});

test('a cut that falls between an argument and its NUL keeps the argument', () => {
  const texts = fresh();
  texts.argv(Buffer.from('cat\0fi'), 9);
  assert.equal(texts.argvs.added[0]?.values[0], '["cat","fi"]');
});

test('arguments that are no UTF-8 are escaped, and the whole block lies beside them', () => {
  const texts = fresh();
  const block = strings(['cat', Buffer.of(0xff), 'ü']);
  texts.argv(block, block.length);
  assert.deepEqual(texts.argvs.added[0]?.values, ['["cat","\\\\xff","ü"]', 9, Buffer.from(block)]);
});

test('stored rows are not stored again, and their ids stay', () => {
  const texts = fresh();
  const id = texts.path(Buffer.from('/bin/sh'));
  texts.clear();
  assert.equal(texts.paths.added.length, 0);
  assert.equal(texts.path(Buffer.from('/bin/sh')), id);
  assert.equal(texts.paths.added.length, 0);
});

test('a path has the same id, told whole or by its components, which are remembered', () => {
  const texts = fresh();
  const components = strings(['sh', 'bin']);
  const id = texts.pathOf(components);
  assert.equal(texts.path(Buffer.from('/bin/sh')), id);
  assert.equal(texts.pathOf(components), id);
  assert.equal(texts.pathOf(Buffer.alloc(0)), texts.path(Buffer.from('/')));
  texts.clear();
  texts.forget();
  assert.notEqual(texts.pathOf(components), id);
  assert.deepEqual(
    texts.paths.added.map(({ values }) => values),
    [['/bin/sh', null]],
  );
});

test('a pool that met too many texts forgets, and never gives an id twice', () => {
  const texts = fresh();
  const ids = Array.from({ length: 45_000 }, (_, i) => texts.path(Buffer.from(`/tmp/${i}`)));
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(texts.paths.added.length, ids.length);
  const again = texts.path(Buffer.from('/tmp/0'));
  assert.ok(again !== null && again > 45_000);
});

test('long argument vectors do not pile up in memory', () => {
  const texts = fresh();
  const before = process.memoryUsage().heapUsed + process.memoryUsage().external;
  const block = Buffer.alloc(64 << 10, 'x');
  for (let i = 0; i < 2000; i++) {
    block.writeUInt32LE(0x61616161 + i, 0);
    texts.argv(block, block.length);
    texts.clear();
  }
  const grown = process.memoryUsage().heapUsed + process.memoryUsage().external - before;
  assert.ok(grown < 64 << 20, `${grown >> 20} MiB after 125 MiB of arguments`);
});

test('two texts share an id exactly when their bytes are equal', () => {
  const texts = fresh();
  const path = fc.array(fc.constantFrom(0x2f, 0x61, 0xc3, 0xbc, 0xff, 0x5c), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(path, path, (a, b) => {
      const same = texts.path(Uint8Array.from(a)) === texts.path(Uint8Array.from(b));
      assert.equal(same, Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0);
    }),
  );
});

test('untilNul takes everything where there is no NUL', () => {
  assert.equal(Buffer.from(untilNul(Buffer.from('abc'))).toString(), 'abc');
  assert.equal(untilNul(Buffer.from('\0abc')).length, 0);
});
