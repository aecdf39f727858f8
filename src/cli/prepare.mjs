/**
 * Makes a bare clone ready, then runs a command of Seatline's: dependencies and the generated
 * Prisma client are there afterwards, whoever else prepares the same folder at the same time.
 *
 *   node src/cli/prepare.mjs src/cli/demo.ts --json     a TypeScript entry of ours
 *   node src/cli/prepare.mjs --bin vitest run           a tool from node_modules/.bin
 *
 * Plain JavaScript with nothing but node: modules, for it runs before there is anything else.
 * All it says goes to stderr: stdout belongs to the command.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const MODULES = join(ROOT, 'node_modules');
const INSTALLED_STAMP = join(MODULES, '.seatline-installed');
const CLIENT = join(ROOT, 'src', 'generated', 'prisma');
const CLIENT_STAMP = join(ROOT, 'src', 'generated', '.prisma-client');
const LOCK = join(ROOT, '.seatline', 'prepare.lock');

const INSTALL_LIMIT_MS = 15 * 60_000;
const GENERATE_LIMIT_MS = 2 * 60_000;
const LOCK_LIMIT_MS = INSTALL_LIMIT_MS + GENERATE_LIMIT_MS;
const POLL_MS = 100;
const UNREADABLE_LOCK_AFTER_MS = 5_000;

/** A failure with one line to say. */
class Refusal extends Error {
  constructor(line, exitCode = 1) {
    super(line);
    this.exitCode = exitCode;
  }
}

async function main(args) {
  refuseOldNode();
  const target = args[0] === '--bin' ? args[1] : args[0];
  if (!target) throw new Refusal('Usage: node src/cli/prepare.mjs <entry.ts> | --bin <tool> [...]');
  if (!isInstalled() || !isGenerated()) await withLock(prepare);
  const [file, ...rest] =
    args[0] === '--bin' ? toolCommand(target, args.slice(2)) : entryCommand(target, args.slice(1));
  return run(file, rest, { stdio: 'inherit' });
}

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const good = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 23;
  if (!good) {
    throw new Refusal(
      `Seatline needs Node 20.19, 22.12 or later; this is ${process.versions.node}.`,
    );
  }
}

async function prepare(lock) {
  if (!isInstalled()) await install(lock);
  if (!isGenerated()) await generate(lock);
}

// --- dependencies ---------------------------------------------------------------------------

function isInstalled() {
  const wanted = installedHash();
  if (textOf(INSTALLED_STAMP) === wanted) return true;
  if (!matchesLockFile()) return false;
  // Somebody ran npm ci by hand: as good as ours.
  writeWhole(INSTALLED_STAMP, wanted);
  return true;
}

function installedHash() {
  return hashOf([join(ROOT, 'package-lock.json')], `${process.platform}-${process.arch}`);
}

/** npm notes what it installed in node_modules/.package-lock.json. */
function matchesLockFile() {
  const wanted = packagesIn(join(ROOT, 'package-lock.json'));
  const installed = packagesIn(join(MODULES, '.package-lock.json'));
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = installed[path];
    if (!found) return entry.optional === true && !isForThisMachine(entry);
    return found.version === entry.version && existsSync(join(ROOT, path));
  });
}

/** Optional packages come one per platform; those that name none, or a C library, may be left out. */
function isForThisMachine({ os, cpu, libc }) {
  const allows = (list, one) => !list || list.includes(one);
  return !libc && (os || cpu) && allows(os, process.platform) && allows(cpu, process.arch);
}

function packagesIn(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

async function install(lock) {
  say('Installing dependencies (about a minute, once)...');
  const [npm, ...args] = npmCommand([
    'ci',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  const started = Date.now();
  const code = await run(npm, args, {
    cwd: ROOT,
    lock,
    limitMs: INSTALL_LIMIT_MS,
    stdio: ['ignore', 2, 2],
    env: withoutEngineDownload(),
    shell: process.platform === 'win32' && npm === 'npm',
  });
  if (code !== 0)
    throw new Refusal(`npm ci failed (exit code ${code}); its reason is above.`, code);
  writeWhole(INSTALLED_STAMP, installedHash());
  say(`Dependencies installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

/** The npm that called us, or the one that came with this Node, or any on the PATH. */
function npmCommand(args) {
  const called = process.env.npm_execpath;
  const bundled = join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js');
  for (const script of [called, bundled]) {
    if (script && basename(script) === 'npm-cli.js' && existsSync(script)) {
      return [process.execPath, script, ...args];
    }
  }
  return ['npm', ...args];
}

// --- the Prisma client ----------------------------------------------------------------------

function isGenerated() {
  return existsSync(join(CLIENT, 'client.ts')) && textOf(CLIENT_STAMP) === clientHash();
}

function clientHash() {
  const prisma = packagesIn(join(ROOT, 'package-lock.json'))?.['node_modules/prisma']?.version;
  return hashOf([join(ROOT, 'prisma', 'schema.prisma'), join(ROOT, 'prisma.config.ts')], prisma);
}

async function generate(lock) {
  say('Generating the Prisma client...');
  const wanted = clientHash();
  const code = await run(
    process.execPath,
    [join(MODULES, 'prisma', 'build', 'index.js'), 'generate'],
    {
      cwd: ROOT,
      lock,
      limitMs: GENERATE_LIMIT_MS,
      stdio: ['ignore', 2, 2],
      env: { ...withoutEngineDownload(), PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1' },
    },
  );
  if (code !== 0) throw new Refusal(`prisma generate failed (exit code ${code}).`, code);
  writeWhole(CLIENT_STAMP, wanted);
}

/**
 * Prisma fetches its schema engine before it does anything, though generating needs none: told
 * that this one is there already, it fetches nothing, and a machine without internet will do.
 */
function withoutEngineDownload() {
  return { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, ...process.env };
}

// --- one at a time --------------------------------------------------------------------------
// src/embedded/file-lock.ts does the same; it is TypeScript, which cannot run before install.

async function withLock(work) {
  mkdirSync(dirname(LOCK), { recursive: true });
  const token = randomBytes(8).toString('hex');
  const textWith = (child) => JSON.stringify({ holders: [process.pid, child], token });
  await takeLock(textWith());
  // The child's pid too: an npm ci that outlives us still works on node_modules.
  const lock = { noteChild: (pid) => writeWhole(LOCK, textWith(pid)) };
  const release = () => {
    if (textOf(LOCK)?.includes(token)) rmSync(LOCK, { force: true });
  };
  process.once('exit', release);
  try {
    await work(lock);
  } finally {
    process.off('exit', release);
    release();
  }
}

async function takeLock(text) {
  const deadline = Date.now() + LOCK_LIMIT_MS;
  let told = false;
  while (!createExclusively(LOCK, text)) {
    if (Date.now() > deadline) throw new Refusal(`${LOCK} is held for too long; remove it.`);
    if (breakIfAbandoned()) continue;
    if (!told) say('Waiting for another Seatline command that is preparing this folder...');
    told = true;
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
}

/** Only the one with the second file removes the lock, and only while it is the one it saw. */
function breakIfAbandoned() {
  const seen = textOf(LOCK);
  if (seen === undefined) return true;
  if (!isAbandoned(seen)) return false;
  const breaker = `${LOCK}.break`;
  if (!createExclusively(breaker, '')) {
    if (ageMs(breaker) > UNREADABLE_LOCK_AFTER_MS) rmSync(breaker, { force: true });
    return false;
  }
  try {
    if (textOf(LOCK) === seen) rmSync(LOCK, { force: true });
    return true;
  } finally {
    rmSync(breaker, { force: true });
  }
}

function isAbandoned(text) {
  try {
    return !JSON.parse(text).holders.some((pid) => typeof pid === 'number' && isAlive(pid));
  } catch {
    return ageMs(LOCK) > UNREADABLE_LOCK_AFTER_MS;
  }
}

/** A pid may be somebody else's by now: then only one that is a Node too counts as a holder. */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  if (process.platform === 'win32') return true;
  const command =
    textOf(`/proc/${pid}/cmdline`) ??
    spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
  return /node|npm/.test(command ?? '');
}

function createExclusively(path, text) {
  try {
    writeFileSync(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

// --- the command itself ---------------------------------------------------------------------

function entryCommand(entry, args) {
  const path = [resolve(entry), resolve(ROOT, entry)].find((one) => existsSync(one));
  if (!path) throw new Refusal(`There is no ${entry}.`);
  // tsx by its address: --import looks in the current folder, which need not be ours.
  return [process.execPath, '--import', import.meta.resolve('tsx'), path, ...args];
}

function toolCommand(name, args) {
  const link = join(MODULES, '.bin', name);
  if (!existsSync(link)) throw new Refusal(`There is no tool ${name} in node_modules.`);
  if (process.platform === 'win32') return [`${link}.cmd`, ...args];
  const file = realpathSync(link);
  const isScript = readFileSync(file).subarray(0, 64).toString('latin1').includes('node');
  return isScript ? [process.execPath, file, ...args] : [file, ...args];
}

/** Runs a child to its end, passing signals on; resolves to the exit code a shell would report. */
function run(file, args, { lock, limitMs, ...options }) {
  return new Promise((done, fail) => {
    const child = spawn(file, args, options);
    if (lock && child.pid) lock.noteChild(child.pid);
    const timer = limitMs && setTimeout(() => child.kill('SIGTERM'), limitMs);
    const forward = (signal) => {
      // The terminal gives Ctrl-C to the child as well; a second one might mean "at once" to it.
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    const settle = () => {
      clearTimeout(timer);
      for (const signal of signals) process.off(signal, forward);
    };
    child.once('error', (error) => {
      settle();
      fail(new Refusal(`${file} could not be run: ${error.message}`));
    });
    child.once('exit', (code, signal) => {
      settle();
      done(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

// --- small things ---------------------------------------------------------------------------

function hashOf(paths, salt) {
  const hash = createHash('sha256').update(String(salt));
  for (const path of paths) {
    if (!existsSync(path)) throw new Refusal(`${path} is missing; is this a whole clone?`);
    hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

function writeWhole(path, text) {
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, text);
  renameSync(unfinished, path);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    say(error instanceof Refusal ? error.message : String(error?.stack ?? error));
    process.exitCode = error instanceof Refusal ? error.exitCode : 1;
  },
);
