import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { SnoopError } from '../../migrations/errors.js';
import { type RawOptions, recordOptions } from '../../recorder/options.js';

function refused(raw: RawOptions): string {
  try {
    recordOptions(raw);
  } catch (error) {
    assert.ok(error instanceof SnoopError, `a bug, not an error for people: ${error}`);
    assert.equal(error.code, 'usage');
    return error.message;
  }
  return assert.fail('was not refused');
}

test('without options the defaults of the design hold', () => {
  const options = recordOptions({ db: '/tmp/x.db' });
  assert.deepEqual(options, {
    db: '/tmp/x.db',
    scope: { kind: 'machine' },
    flushMs: 250,
    argsBytes: 32 << 10,
    redact: true,
    lethalBytes: 4 << 20,
    bulkBytes: 16 << 20,
    countSyscalls: false,
    capture: 'auto',
    returns: 'auto',
    transport: 'auto',
    maxBytes: 4 * 2 ** 30,
    keepFreeBytes: null,
    retainUs: null,
    group: null,
  });
});

test('a relative database path is made absolute', () => {
  assert.equal(recordOptions({ db: 'x.db' }).db, resolve('x.db'));
});

test('sizes are bytes, or have K or M behind them, in either case', () => {
  const args = (argsBytes: string) => recordOptions({ argsBytes }).argsBytes;
  assert.deepEqual(
    [args('0'), args('512'), args('4K'), args('4k'), args('128K')],
    [0, 512, 4096, 4096, 131072],
  );
  assert.equal(recordOptions({ lethalBuffer: '1M' }).lethalBytes, 1 << 20);
  assert.equal(recordOptions({ bulkBuffer: '1024M' }).bulkBytes, 1 << 30);
});

test('sizes that are no sizes, or out of range, are refused by name', () => {
  for (const argsBytes of [
    '',
    ' 4K',
    '4 K',
    '4KB',
    '-1',
    '1.5K',
    '0x10',
    '1e3',
    '129K',
    'much',
    '99999999999999999999',
  ]) {
    assert.match(refused({ argsBytes }), /--args-bytes .* is not a size from 0 to 131072 bytes/, argsBytes);
  }
});

test('a lane must be a power of two from 64K to 1G', () => {
  assert.match(refused({ lethalBuffer: '3M' }), /--lethal-buffer 3M is not a power of two/);
  assert.match(refused({ bulkBuffer: '32K' }), /--bulk-buffer 32K is not a size/);
  assert.match(refused({ bulkBuffer: '2048M' }), /--bulk-buffer 2048M is not a size/);
  assert.equal(recordOptions({ bulkBuffer: '64K' }).bulkBytes, 65536);
});

test('the flush interval is a whole number of milliseconds', () => {
  assert.equal(recordOptions({ flush: '10' }).flushMs, 10);
  assert.equal(recordOptions({ flush: '60000' }).flushMs, 60_000);
  for (const flush of ['9', '60001', '', '1.5', '250ms', '-20', 'Infinity', '1e2']) {
    assert.match(refused({ flush }), /--flush .* is not a whole number from 10 to 60000/, flush);
  }
});

test('the size on disk is told in M or G', () => {
  assert.equal(recordOptions({ maxSize: '16M' }).maxBytes, 16 << 20);
  assert.equal(recordOptions({ maxSize: '100g' }).maxBytes, 100 * 2 ** 30);
  assert.match(refused({ maxSize: '15M' }), /--max-size 15M is not a size/);
});

test('an age has a unit, and is more than nothing', () => {
  const days = (retain: string) => (recordOptions({ retain }).retainUs ?? 0) / 86_400e6;
  assert.deepEqual(['1440min', '24h', '30d', '2w'].map(days), [1, 1, 30, 14]);
  for (const retain of ['', '30', 'd', '0d', '-1d', '1.5d', '30 d', '30D', '1y', '30d12h', 'constructor']) {
    assert.match(refused({ retain }), /--retain .* is not an age/, retain);
  }
});

test('a directory that is no cgroup, and too many of them, are refused', () => {
  assert.throws(() => recordOptions({ cgroup: ['/proc/self'] }), SnoopError);
  assert.match(refused({ cgroup: Array(9).fill('/x') }), /9 times/);
});

test('the scope of a command stands over --cgroup', () => {
  const scope = { kind: 'tree', root: 5, command: ['make'] } as const;
  assert.deepEqual(recordOptions({}, scope).scope, scope);
});

test('capture, returns and transport are one of a few words', () => {
  assert.equal(recordOptions({ capture: 'hash' }).capture, 'hash');
  assert.equal(recordOptions({ transport: 'perf' }).transport, 'perf');
  assert.equal(recordOptions({ returns: 'all' }).returns, 'all');
  assert.match(refused({ returns: 'none' }), /--returns none is none of auto, each, all/);
  assert.match(refused({ capture: 'hash', returns: 'each' }), /hash has to see all calls return/);
  assert.match(refused({ capture: 'map' }), /--capture map is none of auto, regs, hash/);
  for (const transport of ['', 'Ring', 'ring ', 'constructor'])
    assert.match(refused({ transport }), /--transport .* is none of auto, ring, perf/);
});
