#!/usr/bin/env node
/**
 * Builds everything into dist/, and only what is out of date: probes, generated wire, TypeScript, the two commands, the
 * C programs of the tests. Prints a line for each step that did something. Knows no package manager: that is install.sh.
 *
 *   node setup/build.mjs              build
 *   node setup/build.mjs --bench      the programs of the bench, too
 *   node setup/build.mjs --check      the same, but fail when bpf/wire.gen.ts is stale
 *   node setup/build.mjs --bpftool    print the bpftool that would be used, or fail
 */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SELF = fileURLToPath(import.meta.url);
process.chdir(dirname(dirname(SELF)));

const OBJECT = 'dist/snooprec.bpf.o';
const WIRE = 'bpf/wire.gen.ts';
const GENERATOR = 'bpf/generate.mjs';
const BUNDLER = 'setup/bundle.mjs';
/** Each with the words of a question to a recording without a run, by which its code is warmed up. */
const COMMANDS = {
  'dist/bin/snooprec.js': { entry: 'dist/recorder/main.js', warmUp: ['status'] },
  'dist/bin/snoopq.js': { entry: 'dist/query/main.js', warmUp: ['who-killed', '1'] },
};
/** What snoopq puts into a report: a script for browsers, and a style. */
const PAGE = {
  'dist/bin/report.js': 'dist/query/report/page/main.js',
  'dist/bin/report.css': 'query/report/page/report.css',
};
const ARCH = { x64: ['x86', 'x86_64'], arm64: ['arm64', 'aarch64'] }[process.arch];
const C_FLAGS = ['-O1', '-Wall', '-Werror', '-pthread', '-D_GNU_SOURCE'];
const PACKAGES = 'run `sudo npm start` once: it installs what is missing';

class BuildError extends Error {}

async function main(argv) {
  if (argv.includes('--bpftool')) {
    console.log(bpftool());
    return;
  }
  if (ARCH === undefined) throw new BuildError(`no probes for ${process.arch}: x64 and arm64 are known`);
  if (!existsSync('node_modules/typescript')) throw new BuildError(`no npm packages: ${PACKAGES}`);
  await buildProbes();
  generateWire(argv.includes('--check'));
  compileTypeScript();
  await bundleCommands();
  await bundlePage();
  makeManuals();
  await buildPrograms('test/tools');
  if (argv.includes('--bench')) await buildBench();
}

/** Each bpf/X.bpf.c to an object of its own, and all of them linked to the one object that is loaded. */
async function buildProbes() {
  const sources = list('bpf', /\.bpf\.c$/);
  if (sources.length === 0) return note('no probes in bpf/: skipped');
  const headers = list('bpf', /\.h$/);
  const objects = sources.map(source => join('dist', 'bpf', basename(source).replace(/\.c$/, '.o')));
  const jobs = sources
    .map((source, i) => ({ source, object: objects[i] }))
    .filter(({ source, object }) => stale(object, [source, ...headers]))
    .map(({ source, object }) => compileProbe(source, object));
  if (jobs.length > 0) {
    mkdirSync('dist/bpf', { recursive: true });
    await step(`${jobs.length} of ${sources.length} probes`, () => runAll(jobs));
  }
  const orphans = list('dist/bpf', /\.bpf\.o$/).filter(object => !objects.includes(object));
  for (const orphan of orphans) rmSync(orphan);
  if (orphans.length > 0 || stale(OBJECT, objects)) {
    // The linker leaves the DWARF out and keeps the BTF: nothing is left to strip.
    await step(OBJECT, () => run(bpftool(), ['gen', 'object', OBJECT, ...objects]));
  }
}

function compileProbe(source, object) {
  const include = `/usr/include/${ARCH[1]}-linux-gnu`;
  const flags = ['-g', '-O2', '-target', 'bpf', `-D__TARGET_ARCH_${ARCH[0]}`, '-mcpu=v3', '-Wall', '-Werror'];
  const paths = ['-Ibpf', ...(existsSync(include) ? [`-I${include}`] : [])];
  return { command: 'clang', args: [...flags, ...paths, '-c', source, '-o', object] };
}

/** wire.gen.ts from the object's BTF. It is committed; with `check` it must not change. */
function generateWire(check) {
  if (!existsSync(GENERATOR) || !existsSync(OBJECT)) return;
  if (!check && !stale(WIRE, [OBJECT, GENERATOR])) return;
  process.env.BPFTOOL = bpftool();
  run(process.execPath, [GENERATOR, OBJECT, ...(check ? ['--check'] : [])]);
  utimesSync(WIRE, new Date(), new Date()); // the generator leaves a file alone that is right
}

function compileTypeScript() {
  const before = newest(scripts());
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-b']);
  if (newest(scripts()) > before) note('TypeScript');
}

/** One file a command, for the time that it takes to start. */
async function bundleCommands() {
  const inputs = [...scripts().filter(path => !path.startsWith('dist/test/')), 'package-lock.json', BUNDLER];
  const wanted = Object.entries(COMMANDS).filter(([, { entry }]) => existsSync(entry));
  for (const { entry } of Object.values(COMMANDS)) if (!existsSync(entry)) note(`no ${entry}: skipped`);
  if (!wanted.some(([out]) => stale(out, inputs))) return;
  const { bundleCommand } = await import('./bundle.mjs');
  for (const [outfile, { entry, warmUp }] of wanted) {
    await bundleCommand(entry, outfile, warmUp).catch(error => {
      throw new BuildError(`cannot bundle ${outfile}: ${error.message}`);
    });
    note(outfile);
  }
}

/** One script and one style, which a report holds word for word. */
async function bundlePage() {
  const inputs = [
    ...scripts().filter(path => path.startsWith('dist/query/')),
    ...Object.values(PAGE),
    BUNDLER,
  ];
  const wanted = Object.entries(PAGE).filter(([outfile]) => stale(outfile, inputs));
  if (wanted.length === 0) return;
  const { bundleForBrowser } = await import('./bundle.mjs');
  for (const [outfile, entry] of wanted) {
    await bundleForBrowser(entry, outfile).catch(() => {
      throw new BuildError(`cannot bundle ${outfile}`);
    });
    note(outfile);
  }
}

/** The tiny C programs of a folder, each of one file. */
async function buildPrograms(folder, without = [], headers = list(folder, /\.h$/)) {
  const sources = list(folder, /\.c$/).filter(source => !without.includes(source));
  const jobs = sources
    .map(source => ({ source, program: join('dist', source).replace(/\.c$/, '') }))
    .filter(({ source, program }) => stale(program, [source, ...headers]))
    .map(({ source, program }) => ({ command: compiler(), args: [...C_FLAGS, source, '-o', program] }));
  if (jobs.length === 0) return;
  mkdirSync(join('dist', folder), { recursive: true });
  await step(`${jobs.length} of ${sources.length} programs of ${folder}`, () => runAll(jobs));
}

/** The workloads, and two programs that do at best what snooprec does: hooks without a recorder, and rows without one. */
async function buildBench() {
  const [insert, limit, hooks] = ['insert.c', 'limit.c', 'limit.bpf.c'].map(name => join('test/bench', name));
  await buildPrograms(
    'test/bench',
    [insert, limit, hooks],
    ['test/tools', 'test/bench'].flatMap(folder => list(folder, /\.h$/)),
  );
  const object = 'dist/test/bench/limit.bpf.o';
  if (stale(object, [hooks, ...list('bpf', /\.h$/)])) await runAll([compileProbe(hooks, object)]);
  const loader = 'dist/test/bench/limit';
  if (stale(loader, [limit])) run(compiler(), [...C_FLAGS, limit, '-lbpf', '-o', loader]);
  await buildInsert(insert);
}

/** With the very SQLite that the recorder has, made as that is made. That takes a minute, so it is done only when it has to. */
async function buildInsert(source) {
  const deps = 'node_modules/better-sqlite3/deps';
  const defines = readFileSync(`${deps}/defines.gypi`, 'utf8').matchAll(/'((?:HAVE|SQLITE)_[^']*)'/g);
  const sqlite = 'dist/test/bench/sqlite3.o';
  if (stale(sqlite, [`${deps}/sqlite3/sqlite3.c`])) {
    const flags = ['-O3', '-w', ...[...defines].map(([, define]) => `-D${define}`)];
    await step('SQLite for the bench', () =>
      run(compiler(), [...flags, '-c', `${deps}/sqlite3/sqlite3.c`, '-o', sqlite]),
    );
  }
  const program = 'dist/test/bench/insert';
  if (!stale(program, [source, sqlite])) return;
  run(compiler(), [...C_FLAGS, '-I', `${deps}/sqlite3`, source, sqlite, '-lm', '-ldl', '-o', program]);
}

function compiler() {
  return ['gcc', 'clang', 'cc'].find(works) ?? 'gcc';
}

/** A bpftool that runs. Ubuntu's /usr/sbin/bpftool is a script that refuses when the tools of this very kernel are not there. */
function bpftool() {
  const found = [
    process.env.BPFTOOL,
    'bpftool',
    '/usr/sbin/bpftool',
    '/usr/local/sbin/bpftool',
    ...ubuntuTools(),
  ].find(path => path && works(path, 'version'));
  if (found === undefined) throw new BuildError(`bpftool is missing: ${PACKAGES}`);
  return found;
}

function ubuntuTools() {
  const parents = list('/usr/lib', /^linux-.*tools/);
  const folders = [...parents, ...parents.flatMap(parent => list(parent, /./))];
  return folders
    .map(folder => join(folder, 'bpftool'))
    .filter(path => existsSync(path))
    .reverse();
}

function scripts() {
  return ['bpf', 'migrations', 'recorder', 'query', 'test']
    .map(part => join('dist', part))
    .filter(existsSync)
    .flatMap(folder => readdirSync(folder, { recursive: true }).map(name => join(folder, name)))
    .filter(path => path.endsWith('.js'));
}

function list(folder, pattern) {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  return readdirSync(folder)
    .filter(name => pattern.test(name))
    .sort()
    .map(name => join(folder, name));
}

function newest(paths) {
  return Math.max(0, ...paths.map(path => statSync(path).mtimeMs));
}

/** Whether `product` must be made again; this file says how it is made, so it is one of its sources. */
function stale(product, sources) {
  return !existsSync(product) || newest([...sources, SELF]) > statSync(product).mtimeMs;
}

function works(command, ...args) {
  return spawnSync(command, args.length > 0 ? args : ['--version'], { stdio: 'ignore' }).status === 0;
}

function missing(command, error) {
  return new BuildError(
    error.code === 'ENOENT' ? `${command} is missing: ${PACKAGES}` : `${command}: ${error.message}`,
  );
}

function run(command, args) {
  const { error, status, signal } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw missing(command, error);
  if (status !== 0)
    throw new BuildError(`${basename(command)} ${args[0]} failed (${signal ?? `status ${status}`})`);
}

/** Runs all the jobs, as many at a time as there are processors; a failed one does not hide the errors of the next. */
async function runAll(jobs) {
  const queue = [...jobs];
  const failed = [];
  const worker = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const { command, args } = job;
      const status = await new Promise((resolve, reject) => {
        const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
        child.on('error', error => reject(missing(command, error)));
        child.on('close', resolve);
      });
      if (status !== 0) failed.push(args.find(arg => arg.endsWith('.c')));
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), jobs.length) }, worker));
  if (failed.length > 0) throw new BuildError(`cannot compile ${failed.join(', ')}`);
}

/** The manual pages, from the programs themselves. */
function makeManuals() {
  const inputs = [
    ...scripts().filter(path => !path.startsWith('dist/test/')),
    'migrations/views.sql',
    'setup/man.mjs',
  ];
  if (!stale('dist/man/snoopq.1', inputs)) return;
  run(process.execPath, ['setup/man.mjs']);
  note('dist/man');
}

async function step(what, work) {
  const from = performance.now();
  await work();
  note(`${what} (${((performance.now() - from) / 1000).toFixed(1)} s)`);
}

function note(line) {
  console.log(`build: ${line}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`build: ${error.message}`);
  process.exitCode = 1;
}
