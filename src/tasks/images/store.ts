/** @file Decoded images at the task's size: held as bytes up to a limit, read again beyond it, so that memory stays flat. */
import { Reason } from '#src/platform/refusals.ts';
import type { FileSet } from '#src/tasks/files.ts';
import type { Picture, PictureSize, RawImage, TaskHost } from '#src/tasks/types.ts';
import { checkedHeader, checkedLength } from './probe.ts';

/** RGB, row-major, 0–255. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/** Lays transparent parts over white. */
export function opaque({ width, height, rgba }: RawImage): Frame {
  const rgb = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const alpha = rgba[from + 3]!;
    for (let c = 0; c < 3; c++)
      rgb[to++] =
        alpha === 255 ? rgba[from + c]! : Math.round((rgba[from + c]! * alpha + 255 * (255 - alpha)) / 255);
  }
  return { width, height, rgb };
}

/** Bytes of decoded images that are held. 5,000 images of 128² take 246 MB. */
const HELD = 2 ** 28;

export class ImageStore {
  readonly #held = new Map<string, Frame>();
  #bytes = 0;
  constructor(
    readonly files: FileSet,
    readonly host: TaskHost,
    readonly size: PictureSize,
    readonly limit = HELD,
  ) {}

  /** Bytes of the images that are held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The file's bytes. Throws with the reason if it is too large to be read. */
  async read(path: string): Promise<Uint8Array> {
    checkedLength(await this.files.size(path));
    return this.files.read(path);
  }

  /** Decodes bytes that were read already. Throws with the reason. */
  async decode(path: string, bytes: Uint8Array): Promise<Frame> {
    checkedHeader(bytes, path);
    const { width, height } = this.size;
    const frame = opaque(await this.host.decodeImage(bytes, path, this.size));
    if (frame.width !== width || frame.height !== height)
      throw new Reason(`it was decoded to ${frame.width} × ${frame.height} pixels`);
    if (!this.#held.has(path) && this.#bytes + frame.rgb.byteLength <= this.limit) {
      this.#held.set(path, frame);
      this.#bytes += frame.rgb.byteLength;
    }
    return frame;
  }

  /** The image cropped and scaled to the store's size; the same pixels whenever it is asked for. */
  async get(path: string): Promise<Frame> {
    return this.#held.get(path) ?? this.decode(path, await this.read(path));
  }
}

/** The frame as a picture for people, made smaller by averaging where a side exceeds `longest`. */
export function pictureOf({ width, height, rgb }: Frame, longest = Infinity): Picture {
  const step = Math.max(1, Math.ceil(Math.max(width, height) / longest));
  const [w, h] = [Math.max(1, Math.floor(width / step)), Math.max(1, Math.floor(height / step))];
  const rgba = new Uint8ClampedArray(4 * w * h).fill(255);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let dy = 0; dy < step; dy++)
          for (let dx = 0; dx < step; dx++)
            sum += rgb[3 * ((y * step + dy) * width + x * step + dx) + c] ?? 0;
        rgba[4 * (y * w + x) + c] = sum / (step * step);
      }
  return { width: w, height: h, rgba };
}
