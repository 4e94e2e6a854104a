/** @file The page's policy in the build: in index.html, in a file beside it that hosts read, and with what `vite preview` sends. */
import { headersFile, headersFor, META_POLICY } from './policy.mjs';

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
    // Before anything that it is about.
    transformIndexHtml: (html) =>
      building
        ? html.replace(
            '<meta charset="utf-8" />',
            `$&\n    <meta http-equiv="Content-Security-Policy" content="${META_POLICY}" />`,
          )
        : html,
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
