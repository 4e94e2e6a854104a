/** @file Draws SVGs for the worker, which has none of its own. As an image an SVG runs no script and fetches nothing. */
import { Reason } from '#src/platform/refusals.ts';
import { thisRealm, trusted } from '#src/platform/trustedTypes.ts';
import { transfer } from 'comlink';
import { decodeText } from '#src/tasks/decodeText.ts';
import type { DrawSvg } from '#workers/protocol.ts';

const SVG = 'http://www.w3.org/2000/svg';

/** A document that nothing comes of, as long as none of it is put into the page: no script of it runs, nothing of it is fetched. */
const parsedSvg = (text: string): Document =>
  new DOMParser().parseFromString(
    trusted(thisRealm, 'rotune-svg', 'createHTML', (same) => same, text),
    'image/svg+xml',
  );

/**
 * The SVG inside another one that shows its centred part of the wanted shape: so it is drawn sharp at the wanted size, whatever its own.
 * @throws Reason with the reason, without the file's name
 */
function framed(text: string, own: Parameters<DrawSvg>[1], size: Parameters<DrawSvg>[2]): string {
  const parsed = parsedSvg(text);
  const root = parsed.documentElement;
  if (parsed.querySelector('parsererror') || root.localName !== 'svg')
    throw new Reason('it is no well-formed SVG');
  const scale = Math.min(own.width / size.width, own.height / size.height);
  const [width, height] = [size.width * scale, size.height * scale];
  const outer = parsed.createElementNS(SVG, 'svg');
  outer.setAttribute('width', String(size.width));
  outer.setAttribute('height', String(size.height));
  outer.setAttribute(
    'viewBox',
    [(own.width - width) / 2, (own.height - height) / 2, width, height].join(' '),
  );
  root.setAttribute('width', String(own.width));
  root.setAttribute('height', String(own.height));
  for (const name of ['x', 'y']) root.removeAttribute(name);
  parsed.replaceChild(outer, root);
  outer.append(root);
  return new XMLSerializer().serializeToString(outer);
}

/** Throws Reason with the reason, without the file's name. */
export const drawSvg: DrawSvg = async (svg, own, size) => {
  const image = new Image(size.width, size.height);
  // From a blob's address some browsers would not let the pixels be read.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(framed(decodeText(svg), own, size))}`;
  try {
    await image.decode();
    const bitmap = await createImageBitmap(image, { resizeWidth: size.width, resizeHeight: size.height });
    return transfer(bitmap, [bitmap]);
  } catch {
    throw new Reason('the browser cannot draw it');
  }
};
