import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KEEP_ALL, makeRedactor } from '../../recorder/redact.js';
import { PROGRAM_RULES } from '../../recorder/secrets.js';
import { strings } from './records.js';

const redactor = makeRedactor(Buffer.alloc(32, 7));
const told = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1').slice(0, -1).split('\0');
const redact = (args: readonly string[], isCut = false) => told(redactor.args(strings(args), isCut));

/** S stands for the secret in what goes in, and for its fingerprint in what comes out. */
const SECRETS: readonly (readonly string[])[] = [
  ['tool', '--password', 'S'],
  ['tool', '--password=S'],
  ['tool', '-password', 'S'],
  ['tool', '--db-password=S', '--verbose'],
  ['tool', '--token=S'],
  ['tool', '--auth-token', 'S'],
  ['tool', '--secret', 'S'],
  ['tool', '--client-secret=S'],
  ['tool', '--api-key', 'S'],
  ['tool', '--apikey=S'],
  ['tool', '--passphrase', 'S'],
  ['java', '-Djavax.net.ssl.keyStorePassword=S', '-jar', 'x.jar'],
  ['keytool', '-storepass', 'S', '-keypass', 'S'],
  ['env', 'PGPASSWORD=S', 'psql', '-h', 'db'],
  ['env', 'DB_PASSWORD_PROD=S', 'AWS_SECRET_ACCESS_KEY=S', 'app'],
  ['sh', '-c', 'PGPASSWORD=S psql -h db'],
  ['sh', '-c', "export MYSQL_PWD='S'; mysqldump all > all.sql"],
  ['bash', '-lc', 'cd /srv && mysql -uroot -pS shop < dump.sql'],
  ['sh', '-c', 'ssh host "mysql -pS -e \'select 1\'"'],
  ['sh', '-c', 'curl -u joe:S https://example.org && echo done'],
  ['mysql', '-u', 'root', '-pS', 'shop'],
  ['/usr/bin/mariadb-dump', '-pS', 'shop'],
  ['sudo', '-u', 'joe', 'mysql', '-pS'],
  ['sshpass', '-p', 'S', 'ssh', 'host'],
  ['sshpass', '-pS', 'ssh', '-p', '22', 'host'],
  ['curl', '-u', 'joe:S', 'https://example.org'],
  ['curl', '-su', 'joe:S', 'https://example.org'],
  ['curl', '--user=joe:S', 'https://example.org'],
  ['curl', '-ujoe:S', 'https://example.org'],
  ['curl', '-H', 'Authorization: Bearer S', 'https://example.org'],
  ['curl', '-H', 'authorization: S'],
  ['curl', '--header', 'X-Api-Key: S'],
  ['curl', '-d', '{"user": "joe", "password": "S"}'],
  ['curl', '-d', 'user=joe&password=S&next=/'],
  ['curl', 'https://example.org/?token=S&page=2'],
  ['wget', 'https://joe:S@example.org/x'],
  ['git', 'clone', 'https://joe:S@example.org:8443/x.git'],
  ['psql', 'postgresql://joe:S@db/shop'],
  ['mount', '-t', 'cifs', '-o', 'username=joe,password=S,vers=3.0', '//nas/x', '/mnt'],
  ['app', 'Server=db;User=sa;Password=S;Encrypt=yes'],
  ['redis-cli', '-a', 'S', 'ping'],
  ['docker', 'login', '-u', 'joe', '-p', 'S'],
  ['openssl', 'enc', '-pass', 'pass:S'],
  ['openssl', 'rsa', '-passin', 'pass:S'],
  ['zip', '-P', 'S', 'x.zip', 'x'],
  ['7z', 'a', '-pS', 'x.7z', 'x'],
  ['smbclient', '-U', 'joe%S', '//nas/x'],
  ['ldapsearch', '-x', '-w', 'S'],
  ['aws', 'configure', 'set', 'aws_secret_access_key', 'S'],
  ['nmcli', 'device', 'wifi', 'connect', 'home', 'password', 'S'],
  ['xfreerdp', '/u:joe', '/p:S', '/v:host'],
  ['ssh-keygen', '-N', 'S', '-f', 'key'],
  ['ipmitool', '-U', 'admin', '-P', 'S'],
  ['mongodump', '-u', 'joe', '-p', 'S'],
  ['snmpwalk', '-v2c', '-c', 'S', 'host'],
  ['rdesktop', '-p', 'S', 'host'],
  ['useradd', '-p', 'S', 'joe'],
  ['ldappasswd', '-s', 'S'],
  ['lftp', '-u', 'joe,S', 'ftp.example.org'],
];

/** Secrets that show by themselves. */
const SHAPED = [
  'AKIAIOSFODNN7EXAMPLE',
  `ghp_${'aB3'.repeat(12)}`,
  `github_pat_${'a1_'.repeat(10)}`,
  `glpat-${'x9-'.repeat(7)}`,
  'xoxb-1234567890-abcdef',
  `sk_live_${'4eC39HqLyjWDarjt'}`,
  `AIza${'Sy0'.repeat(11)}xy`,
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl',
  `npm_${'a1B2'.repeat(9)}`,
];

/** What looks a little like one, and is none. */
const HARMLESS: readonly (readonly string[])[] = [
  ['grep', 'password', '/etc/services'],
  ['passwd', 'joe'],
  ['tool', '--password-file=/run/x', '--token-ttl=5', '--password-stdin'],
  ['tool', '--password', '--verbose'],
  ['tool', '--password=$PASSWORD'],
  ['tool', '--bypass', 'cache', '--compass=north'],
  ['env', 'PWD=/srv', 'OLDPWD=/', 'TOKENIZERS=2', 'ls'],
  ['mysql', '-p', 'shop'],
  ['mysql', '--password', 'shop'],
  ['ssh', '-p', '2222', 'joe@host'],
  ['docker', 'run', '-p', '80:80', 'nginx'],
  ['curl', '-u', 'joe', 'https://example.org:8443/@scope/x'],
  ['npm', 'install', 'https://registry.example.org:443/@scope/x'],
  ['git', 'clone', 'ssh://git@example.org/x.git'],
  ['ssh-keygen', '-t', 'ed25519', '-f', '/root/.ssh/id_ed25519'],
  ['cp', 'a key', 'b: c', 'x=y'],
  ['sh', '-c', 'PASSWORD=$(cat /run/secret) app'],
];

test('a secret is replaced by its fingerprint, in every form of the tables', () => {
  const [, mark] =
    /(\[redacted:[0-9a-f]{8}\])/.exec(redact(['x', '--password=hunter2-Zq!'])[1] as string) ?? [];
  for (const form of SECRETS) {
    const given = form.map(arg => arg.replaceAll('S', 'hunter2-Zq!').replace('Server', 'Server'));
    const fill = (by: string) => form.map(arg => arg.replace(/S(?![A-Za-z])(?<![A-Z_]S)|(?<=-p)S\b/g, by));
    assert.deepEqual(redact(fill('hunter2-Zq!')), fill(mark as string), given.join(' '));
  }
});

test('tokens are known by their shape, wherever they stand', () => {
  for (const token of SHAPED) {
    for (const args of [
      [token],
      ['x', `--header=${token}`],
      ['sh', '-c', `do something with ${token} and more`],
    ]) {
      const line = redact(args).join(' ');
      assert.ok(!line.includes(token.slice(6)), line);
      assert.match(line, /\[redacted:[0-9a-f]{8}\]/);
    }
  }
});

test('what only looks like a secret stays', () => {
  for (const args of HARMLESS) assert.deepEqual(redact(args), args);
});

test('an address that was cut before its @ is redacted, a whole one with a port is not', () => {
  assert.match(redact(['git', 'clone', 'https://joe:hunt'], true)[2] as string, /^https:\/\/joe:\[redacted:/);
  assert.equal(redact(['git', 'clone', 'https://host:8080'])[2], 'https://host:8080');
});

test('equal secrets have equal fingerprints, under another key others', () => {
  const [, first] = redact(['x', '--token=abcdefgh']);
  const [, second] = redact(['mysql', '-pabcdefgh']);
  assert.equal(first?.slice(-19), second?.slice(-19));
  const other = told(makeRedactor(Buffer.alloc(32, 8)).args(strings(['x', '--token=abcdefgh']), false));
  assert.notEqual(other[1], first);
});

test('a path with a password in it is redacted, any other is the same bytes', () => {
  const path = Buffer.from('/srv/https://joe:hunter2@host/x');
  assert.doesNotMatch(Buffer.from(redactor.text(path)).toString(), /hunter2/);
  for (const name of ['/usr/bin/passwd', '/home/joe/key:value', '/a b/c=d']) {
    const bytes = Buffer.from(name);
    assert.equal(redactor.text(bytes), bytes);
  }
});

test('--no-redact keeps every byte', () => {
  const block = strings(['mysql', '-phunter2']);
  assert.equal(KEEP_ALL.args(block, false), block);
});

const odd = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    ...SECRETS.flat(),
    ...SHAPED,
    ...HARMLESS.flat(),
    '[redacted:01234567]',
    '://',
    "'",
    '"',
    '$(',
  ),
);
const argv = fc.array(
  fc.oneof(
    odd,
    fc.tuple(odd, odd).map(pair => pair.join(' ')),
    fc.tuple(odd, odd).map(pair => pair.join('=')),
  ),
);

test('whatever comes in, it never throws, and the number of arguments stays', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, isCut) => {
      const out = redactor.args(bytes, isCut);
      redactor.text(bytes);
      assert.equal(
        Buffer.from(out).filter(byte => byte === 0).length,
        bytes.filter(byte => byte === 0).length,
      );
    }),
    { numRuns: 2000 },
  );
});

test('redacting twice is redacting once', () => {
  fc.assert(
    fc.property(argv, fc.boolean(), (args, isCut) => {
      const once = redactor.args(strings(args.map(arg => arg.replaceAll('\0', ''))), isCut);
      assert.deepEqual(told(redactor.args(once, isCut)), told(once));
    }),
    { numRuns: 5000 },
  );
});

test('arguments without a word of the tables are given back themselves', () => {
  const plain = fc.array(fc.string({ unit: fc.constantFrom(...'abdgkijlnuv012 -/.,=:@"\'\xff') }));
  fc.assert(
    fc.property(plain, args => {
      fc.pre(!args.some(arg => arg.includes('://')));
      const block = strings(args);
      assert.equal(redactor.args(block, true), block);
    }),
  );
});

test('every rule for a program is tried by a form', () => {
  const words = SECRETS.flat()
    .flatMap(arg => arg.split(/[\s"]+/))
    .map(word => word.replace(/.*\//, ''));
  const untried = PROGRAM_RULES.filter(({ programs }) => !words.some(word => programs.test(word)));
  assert.deepEqual(
    untried.map(({ programs }) => String(programs)),
    [],
  );
});
