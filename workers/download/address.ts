/** @file What an address that a person typed means: a file, a folder, or a repository on Hugging Face. */
import { DataError } from '#src/tasks/files.ts';

export type Address =
  /** One file, and what its model keeps beside it. */
  | { readonly kind: 'file'; readonly url: string; readonly name: string }
  /** A folder; its address ends with a slash. */
  | { readonly kind: 'folder'; readonly url: string; readonly name: string }
  /** A folder of a repository, which the host lists. `files` and `list` end with a slash. */
  | {
      readonly kind: 'repository';
      readonly url: string;
      readonly name: string;
      readonly files: string;
      readonly list: string;
      readonly inside: string;
    };

/** Files of weights that are no ONNX. */
const OTHER = /\.(safetensors|bin|pt|pth|ckpt|gguf|ggml|tflite|h5|keras|pb|mlmodel|mlpackage|ort|npz)$/i;

/**
 * @throws DataError where it is no web address, or names a file that can be no ONNX model
 */
export function addressOf(typed: string): Address {
  const text = typed.trim();
  let url: URL;
  const refused = (): DataError =>
    new DataError(
      `"${text.slice(0, 80)}" is no web address. Type one like https://example.org/model.onnx; of a model on Hugging Face, huggingface.co and its name.`,
    );
  // Some browsers take spaces for a part of a host's name.
  if (/\s/.test(text)) throw refused();
  try {
    url = new URL(/^[a-z][a-z\d+.-]*:/i.test(text) && !/^[\w.-]+:\d/.test(text) ? text : `https://${text}`);
  } catch {
    throw refused();
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new DataError(
      `${url.protocol.slice(0, -1)} addresses cannot be opened: only https and http can. Download the file with the browser and open it from disk.`,
    );
  // A word without a dot is a host of no network that a person means, but for one's own machine, with a port or by its name.
  if (!/[.:]|^localhost$/.test(url.host) || /[%\s]/.test(url.host)) throw refused();
  if (url.username || url.password)
    throw new DataError(
      'The address holds a user name or password, which a page must not send. Download the file with the browser and open it from disk.',
    );
  url.hash = '';
  return repository(url) ?? plain(direct(url));
}

/** Pages that show a file lead to the file itself. */
function direct(url: URL): URL {
  const to = new URL(url);
  if (url.hostname === 'huggingface.co')
    to.pathname = url.pathname.replace(/^(\/[^/]+\/[^/]+)\/blob\//, '$1/resolve/');
  const github = /^\/([^/]+\/[^/]+)\/(?:blob|raw)\/(.+)$/.exec(url.pathname);
  if (url.hostname === 'github.com' && github)
    return new URL(`https://raw.githubusercontent.com/${github[1]}/${github[2]}`);
  return to;
}

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

function plain(url: URL): Address {
  const parts = url.pathname.split('/');
  const last = decoded(parts.at(-1) ?? '');
  if (last === '' || last === 'model_index.json') {
    const folder = new URL('.', url);
    folder.search = '';
    const name = decoded(parts.at(-2) ?? '') || url.hostname;
    return { kind: 'folder', url: folder.href, name };
  }
  const other = OTHER.exec(last);
  if (other)
    throw new DataError(
      `${last} is a ${other[0]} file, not an ONNX model. Give the address of an .onnx file, a zip or a folder; optimum-cli export onnx turns most models into one.`,
    );
  // A file without an ending is told from its content: an archive by its first bytes, anything else must be ONNX.
  const name = /\.(onnx|zip)$/i.test(last) ? last : `${last.replace(/[?*:<>|"\\]/g, '_')}.onnx`;
  return { kind: 'file', url: url.href, name };
}

/** First parts of huggingface.co's paths that are no owner of models. */
const NO_OWNER = new Set(['api', 'blog', 'collections', 'datasets', 'docs', 'models', 'papers', 'spaces']);

function repository(url: URL): Address | null {
  if (url.hostname !== 'huggingface.co') return null;
  const found = /^\/([\w.-]+)\/([\w.-]+)(?:\/tree\/([^/]+)(\/.*)?)?\/?$/.exec(url.pathname);
  const [, owner = '', repo = '', revision = 'main', folder = ''] = found ?? [];
  if (!found || NO_OWNER.has(owner)) return null;
  const inside = folder.replace(/^\/+|\/+$/g, '');
  const slash = inside === '' ? '' : `${inside}/`;
  return {
    kind: 'repository',
    url: `https://huggingface.co/${owner}/${repo}/tree/${revision}/${slash}`,
    name: inside === '' ? repo : decoded(inside.split('/').at(-1)!),
    files: `https://huggingface.co/${owner}/${repo}/resolve/${revision}/${slash}`,
    list: `https://huggingface.co/api/models/${owner}/${repo}/tree/${revision}/${slash}?recursive=true`,
    inside: decoded(slash),
  };
}

/** The address of a path below a folder's. */
export const below = (folder: string, path: string): string =>
  new URL(path.split('/').map(encodeURIComponent).join('/'), folder).href;
