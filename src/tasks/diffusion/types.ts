/** @file Types that the diffusion task shows to others. */

/** RGB, row-major, 0–255, alpha 255: what ImageData takes. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}
