/** @file The page's policy in the build: in index.html, in a file beside it that hosts read, and with what `vite preview` sends. */
import { headersFile, headersFor, META_POLICY } from './policy.mjs';

/**
 * The page with its policy, which comes before anything that it is about.
 * @param {string} html throws where it does not begin as index.html does
 */
export function bound(html) {
  const charset = '<meta charset="utf-8" />';
  if (!html.includes(charset)) throw new Error(`index.html has no ${charset}, behind which its policy goes.`);
  return html.replace(
    charset,
    `$&\n    <meta http-equiv="Content-Security-Policy" content="${META_POLICY}" />`,
  );
}

/**
 * Puts the policy into the built page and beside it, and sends it from `vite preview`. While developing there is none: the development server needs inline code.
 * @returns {import('vite').Plugin}
 */
export function strictPolicy() {
  let building = false;
  return {
    name: 'rotune-strict-policy',
    configResolved(config) {
      building = config.command === 'build';
    },
    transformIndexHtml: (html) => (building ? bound(html) : html),
    generateBundle() {
      if (this.environment.name === 'client')
        this.emitFile({ type: 'asset', fileName: '_headers', source: headersFile() });
    },
    configurePreviewServer(server) {
      server.middlewares.use((request, response, next) => {
        const { pathname } = new URL(request.url ?? '/', 'http://localhost');
        for (const [name, value] of Object.entries(headersFor(pathname))) response.setHeader(name, value);
        next();
      });
    },
  };
}
