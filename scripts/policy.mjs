/**
 * @file What the page may do, as browsers enforce it (Content-Security-Policy, Trusted Types, Permissions-Policy): the one place from which the built page's
 * meta element, our server, the service worker and dist/_headers take it. Imports nothing, so that every realm can.
 *
 * A worker takes its policy from the answer that its own script came with, never from the page (HTML, "run a worker"; so do Chromium 156, Firefox 153 and
 * WebKitGTK 2.50, by trial). That lets one worker alone reach other hosts, and means that where neither host nor service worker send headers, workers have none.
 */

/**
 * Names of Trusted Types policies: ours for addresses of scripts (src/platform/ownScript.ts) and for SVGs to be looked at (src/app/worker/svg.ts), and
 * Svelte's for the templates of its own components.
 */
const TRUSTED = ['rotune', 'rotune-svg', 'svelte-trusted-html'];

/** Folder of the scripts that may reach other hosts; there is one, which downloads what a person agreed to. Of a worker's files Vite starts the first by name: it stands before assets/. */
export const WIDE_FOLDER = 'abroad';

/** @type {Readonly<Record<string, string>>} */
const PAGE = {
  'default-src': "'none'",
  // WebAssembly is compiled, text never.
  'script-src': "'self' 'wasm-unsafe-eval'",
  'style-src': "'self'",
  'img-src': "'self' data: blob:",
  'connect-src': "'self'",
  'worker-src': "'self'",
  'manifest-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'require-trusted-types-for': "'script'",
  'trusted-types': TRUSTED.join(' '),
};

/** @param {Readonly<Record<string, string>>} directives */
const text = (directives) =>
  Object.entries(directives)
    .map(([name, value]) => `${name} ${value}`)
    .join('; ');

/** For the meta element, where browsers heed no frame-ancestors. */
export const META_POLICY = text(PAGE);

const HEADER_POLICY = text({ ...PAGE, 'frame-ancestors': "'none'" });

/** Of the worker that downloads: any host, and nothing but scripts of ours. */
const WIDE_POLICY = text({
  'default-src': "'none'",
  'script-src': PAGE['script-src'] ?? '',
  'connect-src': 'https: http:',
  'require-trusted-types-for': "'script'",
  'trusted-types': "'none'",
});

/**
 * The policy that goes with an answer.
 * @param {string} path the address path, from the page's own folder or from the host's root
 */
export const policyFor = (path) =>
  new RegExp(`(^|/)${WIDE_FOLDER}/[^/]+\\.js$`).test(path) ? WIDE_POLICY : HEADER_POLICY;

/** With these the page is cross-origin isolated, so that wasm gets threads. */
export const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** What the page uses of the device, and what it never will. */
const PERMISSIONS = {
  // The camera's picture plays by itself.
  self: [
    'autoplay',
    'camera',
    'clipboard-read',
    'clipboard-write',
    'cross-origin-isolated',
    'screen-wake-lock',
  ],
  none: [
    'accelerometer',
    'browsing-topics',
    'display-capture',
    'encrypted-media',
    'fullscreen',
    'gamepad',
    'geolocation',
    'gyroscope',
    'hid',
    'identity-credentials-get',
    'idle-detection',
    'local-fonts',
    'magnetometer',
    'microphone',
    'midi',
    'otp-credentials',
    'payment',
    'picture-in-picture',
    'publickey-credentials-create',
    'publickey-credentials-get',
    'serial',
    'storage-access',
    'sync-xhr',
    'usb',
    'window-management',
    'xr-spatial-tracking',
  ],
};

/** The same for every answer, whatever it is. */
export const GUARDS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy': [
    ...PERMISSIONS.self.map((name) => `${name}=(self)`),
    ...PERMISSIONS.none.map((name) => `${name}=()`),
  ].join(', '),
};

/**
 * Every header of an answer.
 * @param {string} path as for `policyFor`
 * @returns {Record<string, string>}
 */
export const headersFor = (path) => ({
  ...ISOLATION,
  ...GUARDS,
  'Content-Security-Policy': policyFor(path),
});

/** Where answers need a policy; no two of these match one address, since hosts join what several rules say, and two policies are the stricter of both. */
const RULES = ['/', '/index.html', '/assets/*', '/service-worker.js', `/${WIDE_FOLDER}/*`];

/** The file by which Netlify, Cloudflare Pages and others are told headers, for a page at a host's root. */
export function headersFile() {
  const lines = (/** @type {Record<string, string>} */ headers) =>
    Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`);
  return `${[
    '# The headers that Rotune asks for: docs/hosting.md says what each is for.',
    '/*',
    ...lines({ ...ISOLATION, ...GUARDS }),
    ...RULES.flatMap((rule) => [
      rule,
      ...lines({ 'Content-Security-Policy': policyFor(rule.replace('*', 'any.js')) }),
    ]),
  ].join('\n')}\n`;
}
