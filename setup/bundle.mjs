/**
 * Bundles. A command as one file that starts soon: its modules in one piece, what is rarely needed loaded when it is, and
 * the compiled code beside it. Measured as CPU time of `snoopq who-killed` beyond `node -e 0`: 47 ms as one plain bundle, 42
 * with Node's own modules loaded late, 34 with the JavaScript of better-sqlite3 inside, 25 with the compiled code.
 *
 *   node setup/bundle.mjs BUNDLE CACHE WORD…    run a bundle with these words, and store the code that it compiled
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

const SELF = fileURLToPath(import.meta.url);
const ADDON = 'better-sqlite3/build/Release/better_sqlite3.node';
/** The most expensive of Node's modules, and needed by few questions; commander wants one of them at once. */
const LATE = /^(node:)?(child_process|crypto|worker_threads)$/;
const WRAPPER = ['(function (require, module, exports, __filename, __dirname) {', '\n})'];

/**
 * Writes the command `outfile`, which needs the bundle and the code that are written beside it.
 * @param warmUp words of a question: what it needs is stored compiled
 */
export async function bundleCommand(entry, outfile, warmUp) {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [entry],
    outfile,
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node20',
    // Measured: a bundle in CommonJS starts 10 ms sooner than one in ESM; shorter names and no spaces gain nothing.
    format: 'cjs',
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    external: ['koffi', ADDON],
    plugins: [late, addon],
    logLevel: 'warning',
  });
  const source = WRAPPER.join(outputFiles[0].text.replace(/^#!.*/, ''));
  const name = basename(outfile, '.js');
  const folder = dirname(outfile);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n');
  // V8 knows a source again by its length alone, so the name tells which code belongs to which source.
  const hash = createHash('sha256').update(source).digest('hex').slice(0, 12);
  const file = `${name}-${hash}.js`;
  writeFileSync(join(folder, file), source);
  writeFileSync(outfile, starter(file));
  chmodSync(outfile, 0o755);
  for (const old of readdirSync(folder)) {
    if (old.startsWith(`${name}-`) && old !== file) rmSync(join(folder, old));
  }
  await compile(join(folder, file), warmUp);
}

/** Runs the bundle once, on a recording without a run. Should that fail, commands start a little later, that is all. */
async function compile(bundle, warmUp) {
  const { default: Database } = await import('better-sqlite3');
  const { migrate } = await import('../dist/migrations/migrate.js');
  const directory = mkdtempSync(join(tmpdir(), 'snooprec-build-'));
  try {
    const db = new Database(join(directory, 'empty.db'));
    migrate(db);
    db.close();
    spawnSync(process.execPath, [SELF, bundle, `${bundle}.code`, ...warmUp, '--db', db.name], {
      stdio: 'ignore',
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Writes one script or style for a page, without any import. */
export async function bundleForBrowser(entry, outfile) {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'iife',
    target: ['chrome109', 'firefox115', 'safari16'],
    // In a file that is opened from anywhere no letter may depend on how it is read.
    charset: 'ascii',
    logLevel: 'warning',
  });
}

/** Compiled code of another version of Node, or none, is no error: V8 refuses it and compiles anew. */
function starter(file) {
  return `#!/usr/bin/env node
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');
const filename = require('node:path').join(__dirname, '${file}');
let cachedData;
try {
  cachedData = readFileSync(filename + '.code');
} catch {}
const script = new Script(readFileSync(filename, 'utf8'), { filename, cachedData });
script.runInThisContext()(require, module, exports, filename, __dirname);
`;
}

/** Stores what V8 compiled until the process ended: more than what it compiles at first. */
async function storeCode(bundle, code, words) {
  const { createRequire } = await import('node:module');
  const filename = resolve(bundle);
  const script = new Script(readFileSync(filename, 'utf8'), { filename });
  process.argv = [process.execPath, filename, ...words];
  process.once('exit', () => writeFileSync(code, script.createCachedData()));
  script.runInThisContext()(createRequire(filename), { exports: {} }, {}, filename, dirname(filename));
}

/** In place of a module of Node: getters of the same names, the first of which to be asked loads it. */
const late = {
  name: 'late',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: LATE }, ({ path, namespace }) =>
      namespace === 'late'
        ? { path, external: true }
        : { path: path.replace(/^(node:)?/, 'node:'), namespace: 'late' },
    );
    onLoad({ filter: /./, namespace: 'late' }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter(name => name !== 'default');
      return {
        contents: `for (const name of ${JSON.stringify(names)})
          Object.defineProperty(exports, name, { enumerable: true, get: () => require('${path}')[name] });`,
      };
    });
  },
};

/** better-sqlite3 searches a dozen places for its binary; it is always in this one. */
const addon = {
  name: 'addon',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^bindings$/ }, () => ({ path: 'bindings', namespace: 'addon' }));
    onLoad({ filter: /./, namespace: 'addon' }, () => ({
      contents: `module.exports = () => require('${ADDON}');`,
    }));
  },
};

if (process.argv[1] === SELF) {
  const [bundle, code, ...words] = process.argv.slice(2);
  await storeCode(bundle, code, words);
}
