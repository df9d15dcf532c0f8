/**
 * What counts as a secret on a command line: tables to read and to extend. Nothing here knows how they are looked for
 * (redact.ts). A new line needs a word in SUSPICIOUS, and a case in
 * test/unit/redact.test.ts.
 */

/**
 * The cheap question that is asked of all bytes of an exec: does one of these stand there, in whatever case? Only then
 * does anybody look closer, so whatever the tables below find must hold one of them. At least three characters each.
 */
export const SUSPICIOUS: readonly string[] = [
  ...['pass', 'pwd', 'secret', 'token', 'key', 'psk', 'bearer', 'authoriz', 'cookie', '://'],
  ...[
    'curl',
    'mysql',
    'mariadb',
    'mytop',
    'mycli',
    'redis-',
    'docker',
    'podman',
    'buildah',
    'nerdctl',
    'skopeo',
  ],
  ...['mongo', 'ldap', 'zip', '7z\0', '7za', '7zr', '7zz', 'rar\0', 'smb', 'rpcclient', 'lftp'],
  ...['ipmitool', 'snmp', 'freerdp', 'rdesktop', 'openssl', 'useradd', 'usermod', 'groupmod', 'nmcli'],
  ...[
    'akia',
    'asia',
    'ghp_',
    'gho_',
    'ghu_',
    'ghs_',
    'ghr_',
    'github_',
    'glpat',
    'xox',
    'slack',
    'sk_',
    'rk_',
  ],
  ...['sk-', 'aiza', 'eyj', 'hf_', 'npm_', 'sg.'],
];

/** Names of options, variables and fields, without `-`, `_` and `.` and in small letters, that stand before a secret. */
const NAME =
  /(?:password|passwd|passphrase|passcode|(?<!by|com|sur|over|under|tres)pass|(?<!^|^old)pwd|secret|token|apikey|accesskey|secretkey|accountkey|sharedkey|authkey|psk|bearer|cookie|authorization)\d*$/;
/** These also in the middle of a name (DB_PASSWORD_PROD), unless it ends like that of a thing about passwords. */
const INSIDE = /password|passwd|passphrase/;
const ABOUT =
  /(?:file|path|dir|stdin|fd|env|cmd|command|policy|length|min|max|store|prompt|ttl|name|type|id|expire[sd]?|expiry|age|url|uri|field|column|only|less|auth|authentication|agent)$/;

/** Whether a value behind this name is a secret: `--client-secret`, `PGPASSWORD`, `X-Auth-Token`. */
export function isSecretName(name: string): boolean {
  const plain = name.replace(/[-_.]/g, '').toLowerCase();
  return NAME.test(plain) || (INSIDE.test(plain) && !ABOUT.test(plain));
}

/** Values that say where the secret comes from, or that there is none. */
export const NO_SECRET =
  /^(?:true|false|yes|no|on|off|none|null|auto|prompt|ask|stdin|basic|bearer|digest|negotiate|\*+|-|\$\{?\w+\}?|\$\(.*\)?|`.*|%[sd]|<.*>)?$/is;

/** An option of certain programs whose value is a secret. */
export interface ProgramRule {
  /** Names of the files. */
  programs: RegExp;
  flags: readonly string[];
  /** Where the value is: glued to the flag, the next argument, or either. */
  at: 'glued' | 'next' | 'either';
  /** Only what stands behind the first of these characters is secret: `user:secret`. */
  behind?: string;
  /** What follows the first one is another command. */
  isOnce?: true;
  /** Only once this word was seen. */
  after?: string;
}

export const PROGRAM_RULES: readonly ProgramRule[] = [
  { programs: /^(?:mysql\w*|mariadb(?:-\w+)*|mytop|mycli)$/, flags: ['-p'], at: 'glued' },
  { programs: /^sshpass$/, flags: ['-p'], at: 'either', isOnce: true },
  { programs: /^curl$/, flags: ['-u', '--user', '-U', '--proxy-user'], at: 'either', behind: ':' },
  {
    programs: /^curl$/,
    flags: ['-b', '--cookie', '--oauth2-bearer', '--pass', '--proxy-pass'],
    at: 'either',
  },
  { programs: /^curl$/, flags: ['-E', '--cert', '--proxy-cert'], at: 'either', behind: ':' },
  { programs: /^redis-(?:cli|benchmark)$/, flags: ['-a'], at: 'next' },
  { programs: /^(?:docker|podman|buildah|nerdctl|skopeo)$/, flags: ['-p'], at: 'either', after: 'login' },
  { programs: /^mongo(?:sh|dump|restore|export|import|stat|top)?$/, flags: ['-p'], at: 'either' },
  {
    programs: /^ldap(?:search|add|modify|delete|passwd|whoami|compare|modrdn|exop)$/,
    flags: ['-w'],
    at: 'either',
  },
  { programs: /^ldappasswd$/, flags: ['-a', '-s'], at: 'either' },
  { programs: /^(?:7z[ar]?|7zz|rar|unrar)$/, flags: ['-p', '-hp'], at: 'glued' },
  { programs: /^(?:zip|unzip|zipcloak)$/, flags: ['-P'], at: 'either' },
  { programs: /^(?:smbclient|smbget|rpcclient|smbmap)$/, flags: ['-U', '--user'], at: 'either', behind: '%' },
  { programs: /^lftp$/, flags: ['-u', '--user'], at: 'either', behind: ',' },
  { programs: /^ipmitool$/, flags: ['-P'], at: 'either' },
  { programs: /^snmp\w+$/, flags: ['-A', '-X', '-c'], at: 'either' },
  { programs: /^(?:xfreerdp\d?|wlfreerdp)$/, flags: ['/p:', '-p'], at: 'glued' },
  { programs: /^rdesktop$/, flags: ['-p'], at: 'either' },
  { programs: /^ssh-keygen$/, flags: ['-N', '-P'], at: 'either' },
  { programs: /^openssl$/, flags: ['-passin', '-passout', '-pass'], at: 'next', behind: ':' },
  { programs: /^openssl$/, flags: ['-k', '-K'], at: 'next' },
  { programs: /^(?:useradd|usermod|groupmod)$/, flags: ['-p'], at: 'either' },
  { programs: /^aws$/, flags: ['aws_secret_access_key', 'aws_session_token'], at: 'next', after: 'set' },
  { programs: /^(?:nmcli)$/, flags: ['password', 'psk', 'wifi-sec.psk'], at: 'next' },
];

/** Programs whose `--password` without `=` takes no value, but asks for it. */
export const ASKING =
  /^(?:mysql\w*|mariadb(?:-\w+)*|psql|pg_\w+|createdb|dropdb|createuser|dropuser|vacuumdb|sudo)$/;

/** How tokens of well-known services look. */
const TOKENS: readonly RegExp[] = [
  /(?:AKIA|ASIA)[A-Z0-9]{16}\b/, // AWS
  /gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{22,}/,
  /glpat-[\w-]{20,}/, // GitLab
  /xox[abeoprs]-[\w-]{10,}/, // Slack
  /[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|sk-[\w-]{20,}/, // Stripe, and many after it
  /AIza[\w-]{35}/, // Google
  /eyJ[\w-]{8,}\.[\w-]{8,}\.?[\w-]*/, // JSON Web Token
  /(?:npm|hf)_[A-Za-z0-9]{30,}\b/,
  /SG\.[\w-]{16,}\.[\w-]{16,}/, // SendGrid
];

/** Secrets that show by themselves; the group `secret` is what is replaced: the last thing of the match, but for an @. */
export const SHAPES: readonly RegExp[] = [
  new RegExp(`\\b(?<secret>${TOKENS.map(token => token.source).join('|')})`, 'g'),
  // https://user:secret@host; a port before a path with an @ is none
  /:\/\/[^\s/:@?#'"]*:(?<secret>(?!\d{1,5}\/)[^\s'"]*?)@(?=[^\s@/]*(?:[/:?#\s'"]|$))/g,
  /:\/\/(?<secret>[A-Za-z0-9_-]{20,})@/g,
  // a header: Authorization: Bearer secret
  /\b(?:(?:proxy-)?authorization|(?:set-)?cookie|[\w-]*(?:api-?key|token|secret|password|auth-key))["']?\s*:\s*["']?(?:(?:basic|bearer|digest|negotiate|token|apikey|aws4-hmac-sha256)\s+)?(?<secret>[^\s"'][^\r\n"']*)/gi,
  /\bbearer\s+(?<secret>[\w.~+/=-]{8,})/gi,
  /^pass:(?<secret>.+)$/g, // openssl's way to name a password
  /hooks\.slack\.com\/services\/(?<secret>\w+\/\w+\/\w+)/g,
  /(?<secret>-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*)/g,
];

/**
 * A name and its value within a longer text: JSON, a query, a list of options, a connection string. The value is only looked
 * at, for it may hold the next name.
 */
export const FIELDS =
  /(?<![\w.-])["']?(?<name>[A-Za-z][\w.-]{0,60})["']?\s*[=:](?!\/\/)\s*(?="(?<double>(?:[^"\\]|\\.)*)"|'(?<single>[^']*)'|(?<bare>[^\s,;&'"]+))/g;

/** The end of an address that was cut before its `@`. */
export const CUT_ADDRESS = /:\/\/[^\s/:@?#'"]*:(?<secret>[^\s/@'"]+)$/g;
