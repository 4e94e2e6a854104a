/** @file What every command makes sure of before it works: Node, packages, a fresh build, Chromium. Imports nothing but Node. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { constants as system, homedir, setPriority } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Something a person can cure: printed as one line, never with a stack trace. */
export class Refusal extends Error {
  /** @param {string} message @param {number} [exitCode] */
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** @param {string} message */
export function say(message) {
  process.stderr.write(`${message}\n`);
}

/**
 * Runs a command's body; ends the process with its exit status. A Refusal becomes one line on stderr.
 * @param {() => Promise<number | undefined>} body
 */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    say(`error: ${error.message}`);
    process.exitCode = error.exitCode;
  }
}

/** Refuses a Node that is too old for the tools. */
export function ensureNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19) || (major === 22 && minor < 12)) {
    throw new Refusal(
      `Rotune needs Node 20.19 (or 22.12) or newer; this is ${process.versions.node}: install one from https://nodejs.org`,
    );
  }
}

/**
 * Runs a program with its output passed through to stderr, so that stdout stays the command's own.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, quiet?: boolean, idle?: boolean, stdout?: 'inherit' }} [options] quiet: output only if it fails; idle: takes what cores others leave
 * @returns {Promise<number>} exit status
 */
export function runProgram(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const out = options.quiet ? 'pipe' : (options.stdout ?? 2);
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', out, options.quiet ? 'pipe' : 'inherit'],
      shell: process.platform === 'win32' && program === 'npm',
    });
    if (options.idle && child.pid !== undefined) setPriority(child.pid, system.priority.PRIORITY_LOW);
    /** @type {Buffer[]} */
    const held = [];
    child.stdout?.on('data', (chunk) => held.push(chunk));
    child.stderr?.on('data', (chunk) => held.push(chunk));
    child.on('error', reject);
    child.on('close', (status) => {
      if (status !== 0) for (const chunk of held) process.stderr.write(chunk);
      resolve(status ?? 1);
    });
  });
}

/**
 * Runs an installed package's command line with this very Node.
 * @param {string} script path below node_modules
 * @param {readonly string[]} args
 * @param {Parameters<typeof runProgram>[2]} [options]
 */
export function runTool(script, args, options) {
  return runProgram(process.execPath, [join(ROOT, 'node_modules', script), ...args], options);
}

/** Packages of a lock file: path → version, those for other platforms left out. @param {string} file */
function lockedVersions(file) {
  /** @type {{ packages: Record<string, { version?: string, optional?: boolean }> }} */
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  return new Map(
    Object.entries(lock.packages)
      .filter(([path, entry]) => path !== '' && !entry.optional)
      .map(([path, entry]) => [path, entry.version]),
  );
}

/** Whether node_modules holds what the lock file asks for. */
function packagesAreCurrent() {
  const installed = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  const have = lockedVersions(installed);
  return [...lockedVersions(join(ROOT, 'package-lock.json'))].every(
    ([path, version]) => have.get(path) === version && existsSync(join(ROOT, path)),
  );
}

/** Installs the packages when node_modules is missing or not what the lock file asks for. */
export async function ensurePackages() {
  ensureNode();
  if (packagesAreCurrent()) return;
  say('Installing packages (npm ci) …');
  const status = await runProgram('npm', ['ci', '--no-fund', '--no-audit']);
  if (status !== 0) throw new Refusal('npm ci failed: see its message above; is there a network?');
}

/** @type {Promise<import('vite').RunnableDevEnvironment> | undefined} */
let sources;

/** What Vite's own `runnerImport` is made of, but it stays open: parts of the sources are loaded when they are first wanted. */
async function openSources() {
  const { createRunnableDevEnvironment, resolveConfig } = await import('vite');
  const inline = {
    consumer: /** @type {const} */ ('server'),
    dev: { moduleRunnerTransform: true },
    resolve: { external: /** @type {const} */ (true), mainFields: [], conditions: ['node'] },
  };
  const config = await resolveConfig(
    { root: ROOT, configFile: false, envDir: false, logLevel: 'error', environments: { inline } },
    'serve',
  );
  const environment = createRunnableDevEnvironment('inline', config, {
    runnerOptions: { hmr: { logger: false } },
    hot: false,
  });
  await environment.init();
  return environment;
}

/**
 * A module of the sources, compiled as it is loaded. The packages must be there.
 * @template T
 * @param {string} path from the root
 * @returns {Promise<T>}
 */
export async function runSource(path) {
  sources ??= openSources();
  const { runner } = await sources;
  return /** @type {T} */ (await runner.import(`/${path}`));
}

/** Newest change below a path, in ms since the epoch. @param {string} path @returns {number} */
function newest(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Builds the page when dist/ is missing or older than what it is made from. */
export async function ensureBuild() {
  const sources = [
    ...['src', 'workers', 'public', 'index.html', 'vite.config.ts', 'package-lock.json'],
    ...['ownFiles', 'pack', 'policy', 'policyPlugin', 'version'].map((name) => `scripts/${name}.mjs`),
  ];
  // Written last: of a build that was broken off there is none.
  const built = join(ROOT, 'dist/service-worker.js');
  const age = existsSync(built) ? statSync(built).mtimeMs : 0;
  if (age > 0 && sources.every((source) => newest(join(ROOT, source)) < age)) return;
  say('Building the page …');
  // Test runners set NODE_ENV to "test", and Vite would build for development.
  const status = await runTool('vite/bin/vite.js', ['build', '--logLevel', 'warn'], {
    quiet: true,
    env: { NODE_ENV: 'production' },
  });
  if (status !== 0) throw new Refusal('the build failed: see above');
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Chromiums that Playwright itself installed, newest first. */
function playwrightBrowsers() {
  const home = homedir();
  const folders = [
    process.env.PLAYWRIGHT_BROWSERS_PATH,
    join(home, '.cache/ms-playwright'),
    join(home, 'Library/Caches/ms-playwright'),
    join(process.env.LOCALAPPDATA ?? join(home, 'AppData/Local'), 'ms-playwright'),
  ];
  const programs = [
    'chrome-linux/chrome',
    'chrome-linux64/chrome',
    'chrome-mac/Chromium.app/Contents/MacOS/Chromium',
    'chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing',
    'chrome-win/chrome.exe',
    'chrome-win64/chrome.exe',
  ];
  return folders
    .filter((folder) => folder !== undefined)
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => /^chromium-\d+$/.test(name))
        .sort((a, b) => Number(b.slice(9)) - Number(a.slice(9)))
        .flatMap((name) => programs.map((program) => join(folder, name, program))),
    );
}

/** Chromium without the window and its furniture: a fifth quicker from test to test. */
const HEADLESS = 'chromium-headless-shell';

/** Path of a Chromium or Chrome on this machine, or null. The variable CHROME_PATH wins. */
export function findChromium() {
  const given = process.env.CHROME_PATH;
  if (given) return isProgram(given) ? given : null;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', HEADLESS];
  const onPath = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)));
  const windows = [process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA]
    .filter((folder) => folder !== undefined)
    .map((folder) => join(folder, 'Google/Chrome/Application/chrome.exe'));
  const usual = [
    '/usr/bin/chromium',
    ...onPath,
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ...windows,
    ...playwrightBrowsers(),
  ];
  return usual.find(isProgram) ?? null;
}

/** Path of a Firefox on this machine, or null. The variable FIREFOX_PATH wins. */
export function findFirefox() {
  return findProgram(
    'FIREFOX_PATH',
    ['firefox-esr', 'firefox'],
    [
      '/Applications/Firefox.app/Contents/MacOS/firefox',
      ...[process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)']]
        .filter((folder) => folder !== undefined)
        .map((folder) => join(folder, 'Mozilla Firefox/firefox.exe')),
    ],
  );
}

/** Paths of WebKitGTK's WebDriver and of its small browser, where a hidden screen and a bus are there, too; else null. */
export function findWebKit() {
  const [driver, screen, bus] = ['WebKitWebDriver', 'xvfb-run', 'dbus-run-session'].map((name) =>
    findProgram(`${name}_PATH`, [name], []),
  );
  const folders = existsSync('/usr/lib')
    ? ['/usr/lib', ...readdirSync('/usr/lib').map((name) => `/usr/lib/${name}`)]
    : [];
  const browser = folders
    .flatMap((folder) => ['4.1', '4.0', '6.0'].map((api) => join(folder, `webkit2gtk-${api}/MiniBrowser`)))
    .find(isProgram);
  return driver && screen && bus && browser ? { driver, browser } : null;
}

/** Path of a program: named by a variable, on the PATH, or in one of the usual places; else null. @param {string} variable @param {readonly string[]} names @param {readonly string[]} usual */
function findProgram(variable, names, usual) {
  const given = process.env[variable];
  if (given) return isProgram(given) ? given : null;
  const onPath = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)));
  return [...onPath, ...usual].find(isProgram) ?? null;
}

/**
 * Installs Debian's packages, where this is root on a system of that kind.
 * @param {readonly string[]} packages
 * @returns {Promise<boolean>} whether it could be tried
 */
async function installPackages(packages) {
  const root = process.getuid?.() === 0;
  if (process.platform !== 'linux' || !root || spawnSync('apt-get', ['--version']).status !== 0) return false;
  say(`Installing ${packages.join(', ')} (apt-get install) …`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await runProgram('apt-get', ['update', '-qq'], { env, quiet: true });
  await runProgram('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    env,
    quiet: true,
  });
  return true;
}

/**
 * Firefox and WebKit for the scenarios of all browsers; installed by apt-get in CI. What is missing all the same is said: in CI its tests
 * fail, elsewhere they are skipped.
 */
export async function ensureOtherBrowsers() {
  const missing = () => [
    ...(findFirefox() === null ? [{ name: 'Firefox', packages: ['firefox-esr'] }] : []),
    ...(findWebKit() === null
      ? [{ name: 'WebKit', packages: ['webkit2gtk-driver', 'xvfb', 'xauth', 'dbus'] }]
      : []),
  ];
  const ci = process.env.CI !== undefined;
  if (ci && missing().length > 0) await installPackages(missing().flatMap(({ packages }) => packages));
  for (const { name, packages } of missing())
    say(
      `${name} is not installed: its tests ${ci ? 'will fail' : 'are skipped'}. To have it: sudo apt-get install ${packages.join(' ')}`,
    );
}

/**
 * The browser for tests: the one that CHROME_PATH names, Chromium's headless build, or any Chromium. Where there is none, CI installs the headless one.
 * @returns {Promise<string>} path of the program
 */
export async function ensureHeadless() {
  if (process.env.CHROME_PATH) return ensureChromium();
  const find = () => findProgram('CHROME_PATH', [HEADLESS], []);
  const found = find() ?? findChromium();
  if (found !== null) return found;
  if (process.env.CI !== undefined) await installPackages([HEADLESS]);
  return find() ?? ensureChromium();
}

/**
 * A Chromium to run the page in; installed by apt-get where that is possible.
 * @returns {Promise<string>} path of the program
 */
export async function ensureChromium() {
  if (process.env.CHROME_PATH && !isProgram(process.env.CHROME_PATH)) {
    throw new Refusal(
      `CHROME_PATH names ${process.env.CHROME_PATH}, which is not a program; name one, or leave it out`,
    );
  }
  const found = findChromium();
  if (found !== null) return found;
  if (await installPackages(['chromium'])) {
    const installed = findChromium();
    if (installed !== null) return installed;
  }
  const ways = {
    linux: 'install it with `sudo apt-get install chromium` (or your distribution’s way)',
    darwin: 'install Google Chrome (https://www.google.com/chrome) or `brew install --cask chromium`',
    win32: 'install Google Chrome (https://www.google.com/chrome)',
  };
  const way = ways[/** @type {keyof typeof ways} */ (process.platform)] ?? ways.linux;
  throw new Refusal(
    `no Chromium or Chrome found: ${way}, or name one in the environment variable CHROME_PATH`,
  );
}

/** Version line of a program, for reports. @param {string} program */
export function versionOf(program) {
  try {
    return execFileSync(program, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

/** Flags for a headless Chromium that has WebGPU without a GPU (SwiftShader) and runs as root in a container. */
export const CHROMIUM_ARGS = ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/**
 * The same for tests, whose pages each start the runtime anew, and run it for seconds: of its 12 MB of WebAssembly only what is run very often is compiled a
 * second time, for speed. A page and a short run take 5.6 s of CPU then, not 7.9 s. Benches must not use it.
 */
export const TEST_CHROMIUM_ARGS = [...CHROMIUM_ARGS, '--js-flags=--wasm-tiering-budget=400000000'];
