/** @file A worker that only decodes images, for tests. */
import { expose } from 'comlink';
import { type DrawSvg, imageDecoder } from '../data/images.ts';

let drawSvg: DrawSvg | null = null;

const api = {
  lendSvg(draw: DrawSvg): void {
    drawSvg = draw;
  },
  decode: imageDecoder(() => drawSvg),
};
export type Decoder = typeof api;

expose(api);
