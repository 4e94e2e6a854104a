/** @file Pictures of kinds that are not decoded here: known by their first bytes or their ending, so that they are left out by name, never silently. */
import { Reason } from '#src/platform/refusals.ts';
import { shortened } from '#src/tasks/problems.ts';
import type { TaskProblem } from '#src/tasks/types.ts';
import { ascii } from './exif.ts';

/** A picture that is whole, as far as one can see, but of a kind that is not decoded. */
export class NotDecoded extends Reason {
  override readonly name = 'NotDecoded';
  /** @param kind "HEIC", "TIFF with ZSTD compression" … */
  constructor(
    readonly kind: string,
    /** Who does not decode it. */
    readonly by: 'nothing' | 'browser' = 'nothing',
  ) {
    super(`${kind} is not decoded ${by === 'browser' ? 'by this browser' : 'here'}`);
  }
}

/** Kinds by their marks: [offset, first bytes]. */
const marks: readonly (readonly [kind: string, at: number, mark: string])[] = [
  ['JPEG XL', 0, '\u00ff\u000a'],
  ['JPEG XL', 4, 'JXL '],
  ['JPEG 2000', 4, 'jP  '],
  ['JPEG 2000', 0, '\u00ff\u004f\u00ff\u0051'],
  ['PSD', 0, '8BPS'],
  ['BigTIFF', 0, 'II+\0'],
  ['BigTIFF', 0, 'MM\0+'],
  ['OpenEXR', 0, '\u0076\u002f\u0031\u0001'],
  ['Radiance HDR', 0, '#?RADIANCE'],
  ['DDS', 0, 'DDS '],
  ['icon (ICO)', 0, '\0\0\u0001\0'],
  ['QOI', 0, 'qoif'],
  ['XCF', 0, 'gimp xcf'],
  ['raw photograph', 0, 'FUJIFILMCCD-RAW'],
  ['raw photograph', 0, 'IIRO'],
  ['raw photograph', 0, 'IIU\0'],
];

/** Kinds by their endings, where no mark is known. */
const endings: readonly (readonly [kind: string, endings: RegExp])[] = [
  ['JPEG XL', /\.jxl$/i],
  ['JPEG 2000', /\.(jp2|j2k|j2c|jpf|jpx|jpm)$/i],
  ['PSD', /\.(psd|psb)$/i],
  ['OpenEXR', /\.exr$/i],
  ['Radiance HDR', /\.hdr$/i],
  ['DDS', /\.dds$/i],
  ['icon (ICO)', /\.(ico|cur|icns)$/i],
  ['Netpbm', /\.(ppm|pgm|pbm|pnm|pam|pfm)$/i],
  ['Targa', /\.(tga|targa)$/i],
  ['PCX', /\.pcx$/i],
  ['QOI', /\.qoi$/i],
  ['XCF', /\.xcf$/i],
  ['compressed SVG', /\.svgz$/i],
  ['HEIC', /\.(heics?|heifs?|hif)$/i],
  ['raw photograph', /\.(dng|cr2|cr3|crw|nef|nrw|arw|srf|sr2|raf|orf|rw2|pef|srw|x3f|erf|3fr|kdc|dcr|mrw)$/i],
];

/** Raw photographs are TIFF files inside, of which a TIFF reader finds the thumbnail. */
export const isRaw = (path: string): boolean => endings.at(-1)![1].test(path);

/** Is the file a picture by its name, of a kind that is not decoded? */
export const isForeignName = (path: string): boolean => endings.some(([, pattern]) => pattern.test(path));

/** The kind of a picture that is not decoded; null: the bytes and the name are of none that is known. */
export function foreignKind(bytes: Uint8Array, path: string): string | null {
  const marked = marks.find(([, at, mark]) => ascii(bytes, at, mark.length) === mark);
  if (marked) return marked[0];
  if (/^P[1-7]\s[\s#\d]/.test(ascii(bytes, 0, 4))) return 'Netpbm';
  return endings.find(([, pattern]) => pattern.test(path))?.[0] ?? null;
}

/** Files that one message names. */
const NAMED = 5;

/** "a.png, b.png, c.png and 4 more" */
export function namesOf(paths: readonly string[]): string {
  const named = paths.slice(0, NAMED).join(', ');
  return paths.length > NAMED ? `${named} and ${paths.length - NAMED} more` : named;
}

/** What was left out, as one problem for each kind: how many, which, why, and the way out. */
export class LeftOut {
  readonly #kinds = new Map<string, { readonly by: NotDecoded['by']; readonly paths: string[] }>();

  /** Takes a picture of a kind that is not decoded; false: the error is another one. */
  add(path: string, error: unknown): boolean {
    if (!(error instanceof NotDecoded)) return false;
    const { kind, by } = error;
    const group = this.#kinds.get(kind) ?? { by, paths: [] };
    group.paths.push(path);
    this.#kinds.set(kind, group);
    return true;
  }

  /** @param severity an error where nothing else is left */
  problems(severity: TaskProblem['severity']): TaskProblem[] {
    const list = [...this.#kinds].map(([kind, { by, paths }]): TaskProblem => {
      const many = paths.length > 1;
      return {
        severity,
        item: paths[0]!,
        message: `${paths.length} ${many ? 'pictures are' : 'picture is'} left out, ${namesOf(paths)}: ${kind} is not decoded ${by === 'browser' ? 'by this browser' : 'here'}.`,
        cure: `Take ${many ? 'them' : 'it'} out, or add ${many ? 'them' : 'it'} as PNG or JPEG.`,
      };
    });
    return shortened(list, 'not-decoded', (n) => `Pictures of ${n} kinds are left out.`);
  }
}
