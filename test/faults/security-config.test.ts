/** F37: a configuration that somebody else could have written decides nothing. */

import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cannotRecord, Lab } from '../kernel/lab.js';

const skip = cannotRecord;
const NOBODY = 65_534;

test('F37: a file, or a way to it, that others may write, own or lead elsewhere is refused with status 6', {
  skip,
}, t => {
  const lab = Lab.open(t);
  const at = (...parts: string[]) => join(lab.directory, ...parts);
  const refused = (words: RegExp, file: string) => {
    const { status, stderr } = lab.snooprec('start', '--cgroup', lab.cgroup, '--config', file);
    assert.equal(status, 6, stderr);
    assert.match(stderr, words);
    assert.equal(stderr.trimEnd().split('\n').length, 2, stderr);
  };
  const write = (name: string, text = 'flush = 500\n') => {
    writeFileSync(at(name), text);
    return at(name);
  };
  const open = write('open.toml');
  chmodSync(open, 0o666);
  refused(/open\.toml can be written by others/, open);
  const theirs = write('theirs.toml');
  chownSync(theirs, NOBODY, NOBODY);
  refused(/theirs\.toml belongs to user 65534/, theirs);
  symlinkSync(write('target.toml'), at('link.toml'));
  refused(/link\.toml is a symbolic link/, at('link.toml'));
  refused(/has 10485760 bytes/, write('huge.toml', '#'.repeat(10 << 20)));
  refused(/cannot read/, at('missing.toml'));
  refused(/did you mean retain\?/, write('typo.toml', 'retian = "30d"\n'));
  mkdirSync(at('shared'));
  chmodSync(at('shared'), 0o1777);
  refused(/shared can be written by others/, write(join('shared', 'x.toml')));
  mkdirSync(at('nodir'));
  refused(/is not a plain file/, at('nodir'));
  mkdirSync(at('conf.d'));
  const drop = write(join('conf.d', '10-x.toml'));
  chmodSync(drop, 0o646);
  refused(/10-x\.toml can be written by others/, write('good.toml'));
  rmSync(drop);
});

test('settings hold when nothing is given; conf.d wins over the file, and what is given over all', {
  skip,
}, t => {
  const lab = Lab.open(t);
  const file = join(lab.directory, 'x.toml');
  mkdirSync(join(lab.directory, 'conf.d'));
  writeFileSync(file, `cgroup = ["${lab.cgroup}"]\nflush = 500\nmax-size = "1G"\nredact = false\n`);
  writeFileSync(join(lab.directory, 'conf.d', '10.toml'), 'flush = 300\n');
  writeFileSync(join(lab.directory, 'conf.d', '20.toml'), 'flush = 200\n');
  writeFileSync(join(lab.directory, 'conf.d', 'ignored.txt'), 'nonsense');
  const { status, stdout } = lab.snooprec('config', '--config', file, '--max-size', '2G');
  assert.equal(status, 0);
  const line = (key: string) =>
    stdout
      .split('\n')
      .find(text => text.includes(`${key} = `))
      ?.replace(/ +/g, ' ');
  assert.equal(line('flush'), `flush = "200" # ${join(lab.directory, 'conf.d', '20.toml')}`);
  assert.equal(line('max-size'), 'max-size = "2G" # given');
  assert.equal(line('redact'), `redact = false # ${file}`);
  assert.equal(line('args-bytes'), 'args-bytes = "32K" # default');
  assert.match(line('db') ?? '', /lab\.db" # SNOOPREC_DB$/);
  assert.equal(line('# retain'), '# retain = unset # default');

  const start = lab.snooprec('start', '--config', file);
  assert.equal(start.status, 0, start.stderr);
  lab.inside('/bin/true', '--password=swordfish');
  lab.stop();
  const options = JSON.parse(String(lab.value('SELECT options FROM recordings'))) as Record<string, unknown>;
  assert.equal(options['flushMs'], 200);
  assert.equal(options['redact'], false);
  assert.equal(lab.value("SELECT count(*) FROM execs WHERE args LIKE '%swordfish%'"), 1);
});
