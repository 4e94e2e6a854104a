/** @file A camera that shows one picture: a film of Chromium's fake device, as YUV4MPEG2 (y4m). */

export type Colour = readonly [red: number, green: number, blue: number];

const WIDTH = 320;
const HEIGHT = 240;

/** A picture by its colour at each place, both from −1 to 1 within a square in the middle. */
export type Painted = (x: number, y: number) => Colour;

/** BT.601 in the narrow range, as films of that format have it. */
function yuvOf([r, g, b]: Colour): readonly [number, number, number] {
  return [
    16 + (65.738 * r + 129.057 * g + 25.064 * b) / 256,
    128 + (-37.945 * r - 74.494 * g + 112.439 * b) / 256,
    128 + (112.439 * r - 94.154 * g - 18.285 * b) / 256,
  ];
}

/** A film of that picture; it begins anew when it ends. */
export function filmOf(painted: Painted): Buffer {
  const at = (x: number, y: number) => yuvOf(painted((2 * x - WIDTH) / HEIGHT, (2 * y - HEIGHT) / HEIGHT));
  const planes = [0, 1, 2].map((plane) => {
    const step = plane === 0 ? 1 : 2;
    const bytes = Buffer.alloc((WIDTH / step) * (HEIGHT / step));
    for (let i = 0; i < bytes.length; i++)
      bytes[i] = Math.round(at((i % (WIDTH / step)) * step, Math.floor(i / (WIDTH / step)) * step)[plane]!);
    return bytes;
  });
  const frame = Buffer.concat([Buffer.from('FRAME\n'), ...planes]);
  return Buffer.concat([
    Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`),
    frame,
    frame,
  ]);
}
