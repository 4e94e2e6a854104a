/** @file What the loss chart really paints: every label inside of it, none over another, the last step among them. */
import type uPlot from 'uplot';
import { afterEach, expect, it, vi } from 'vitest';
import { count } from '#src/app/words/format.ts';
import { lossData } from '#src/app/run/lossData.ts';
import { createChart } from './lossChart.ts';

interface Label {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

let painted: Label[] = [];
const { fillText } = CanvasRenderingContext2D.prototype;

/** Where a text comes to lie on the canvas. */
function note(context: CanvasRenderingContext2D, text: string, x: number, y: number): void {
  const { actualBoundingBoxLeft, actualBoundingBoxRight, actualBoundingBoxAscent, actualBoundingBoxDescent } =
    context.measureText(text);
  const { e, f } = context.getTransform();
  painted.push({
    text,
    left: e + x - actualBoundingBoxLeft,
    right: e + x + actualBoundingBoxRight,
    top: f + y - actualBoundingBoxAscent,
    bottom: f + y + actualBoundingBoxDescent,
  });
}

afterEach(() => {
  CanvasRenderingContext2D.prototype.fillText = fillText;
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

interface Shape {
  readonly width: number;
  readonly total: number;
  readonly logarithmic: boolean;
  readonly measured: boolean;
}

async function labels({ width, total, logarithmic, measured }: Shape): Promise<Label[]> {
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    note(this, text, x, y);
    fillText.call(this, text, x, y);
  };
  const box = document.createElement('div');
  box.style.cssText = `width:${width}px;height:200px`;
  document.body.append(box);
  const made: (uPlot | null)[] = [];
  const remove = createChart({
    ...{ logarithmic, total },
    measure: measured ? { share: true, text: (value) => `${Math.round(value * 100)} %` } : null,
    // Two at the same place but for a pixel, one at the very end.
    changes: () => [
      { step: total * 0.5, factor: 0.3 },
      { step: total * 0.503, factor: 0.1 },
      { step: total, factor: 3 },
    ],
    oncursor: () => undefined,
    onready: (chart) => made.push(chart),
  })(box);
  const losses = Array.from({ length: 50 }, (_, i) => 2.5 * 0.93 ** i + 0.03);
  const raw = losses.slice(0, total);
  const curve = { steps: raw.map((_, step) => step), raw, smoothed: raw };
  const points = [
    { step: 0, value: 0.1 },
    { step: raw.length, value: 0.9 },
  ];
  const [chart] = made;
  if (!chart) throw new Error('no chart');
  chart.setData(
    lossData({
      ...{ curve, heldout: [], other: [] },
      measure: measured ? { name: 'right', unit: 'share', points } : null,
    }),
  );
  // It paints in a microtask, and again when it hears of its size: the last picture counts.
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  painted = [];
  chart.redraw(false, true);
  await new Promise((resolve) => setTimeout(resolve));
  const found = painted;
  remove();
  box.remove();
  return found;
}

const apart = (a: Label, b: Label): boolean =>
  a.right + 2 <= b.left || b.right + 2 <= a.left || a.bottom <= b.top || b.bottom <= a.top;

it('lets no label touch another or reach beyond the chart, and names the last step', async () => {
  for (const width of [300, 360, 463, 700, 820, 1000, 1400])
    for (const total of [3, 7, 100, 115, 120, 999, 1000, 12_345, 100_000])
      for (const [logarithmic, measured] of [
        [false, false],
        [true, false],
        [false, true],
      ] as const) {
        const shape = { width, total, logarithmic, measured };
        const all = await labels(shape);
        const where = JSON.stringify({ shape, all });
        expect(all.filter(({ text }) => text === count(total)).length, where).toBeGreaterThan(0);
        expect(all.length, where).toBeGreaterThan(4);
        // Of two changes too near for two labels the first has one.
        expect(all.map(({ text }) => text).filter((text) => text.startsWith('×'))).toEqual([
          '×\u20090.3',
          '×\u20093',
        ]);
        const edge = width * devicePixelRatio;
        for (const [i, label] of all.entries()) {
          expect(label.left >= 0 && label.right <= edge, `${label.text} of ${where}`).toBe(true);
          for (const other of all.slice(i + 1))
            expect(apart(label, other), `${label.text} and ${other.text} of ${where}`).toBe(true);
        }
      }
});
