/** @file Upright lines in the loss chart where the learning rate was changed, each with its factor where there is room for it. */
import type uPlot from 'uplot';
import type { RateChange } from '#workers/protocol.ts';

/** Pixels of the canvas between a line and its label, and between two labels. */
const GAP = 4;

/** Draws them; a label that would touch the one before it, or the edge, is left out or put on the other side. */
export function drawMarkers(chart: uPlot, changes: readonly RateChange[], colour: string): void {
  if (changes.length === 0) return;
  const { ctx, bbox } = chart;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = scale;
  ctx.setLineDash([2 * scale, 3 * scale]);
  ctx.font = `${12 * scale}px system-ui`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'top';
  let free = bbox.left;
  for (const { step, factor } of changes) {
    const x = Math.round(chart.valToPos(step, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const text = `×\u2009${Number(factor.toPrecision(3))}`;
    const { width } = ctx.measureText(text);
    const right = x + GAP * scale;
    const at = right + width <= bbox.left + bbox.width ? right : x - GAP * scale - width;
    if (at < free) continue;
    ctx.fillText(text, at, bbox.top);
    free = at + width + GAP * scale;
  }
  ctx.restore();
}
