/** @file The uPlot instance behind the loss chart: colours from the page, sizes from its box, redrawn when the colour scheme changes. */
// Before uPlot, which hands the browser's language to Intl as soon as it is loaded.
import '#src/platform/language.ts';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { labelWidth, stepTicks } from '#src/app/run/ticks.ts';
import { count, figure } from '#src/app/words/format.ts';
import type { RateChange } from '#workers/protocol.ts';
import { drawMarkers } from './markers.ts';

export interface ChartOptions {
  readonly logarithmic: boolean;
  /** Last step of the run: the axis does not move while it fills. */
  readonly total: number;
  readonly oncursor: (index: number | null) => void;
  /** Held-out data have a measure, with an axis of its own on the right. */
  readonly measure: { readonly share: boolean; readonly text: (value: number) => string } | null;
  /** Where the learning rate was changed, as of the moment it draws. */
  readonly changes: () => readonly RateChange[];
  readonly onready: (chart: uPlot | null) => void;
}

/** An attachment that draws into its element and cleans up after itself. */
export function createChart(options: ChartOptions) {
  return (element: HTMLElement) => {
    const colour = (name: string) => {
      // uPlot paints on a canvas, which knows neither custom properties nor light-dark().
      const probe = document.createElement('i');
      probe.style.color = `var(${name})`;
      element.append(probe);
      const { color } = getComputedStyle(probe);
      probe.remove();
      return color;
    };
    const chart = new uPlot(
      {
        width: Math.max(1, element.clientWidth),
        height: Math.max(1, element.clientHeight),
        legend: { show: false },
        padding: [8, Math.max(options.measure ? 0 : 14, overhang(options.total)), 0, 0],
        scales: {
          x: { time: false, range: (_chart, _min, max) => [0, Math.max(options.total, max || 1)] },
          // 3 is logarithmic: the enum that names it exists in the types only.
          // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
          y: { distr: options.logarithmic ? 3 : 1 },
          measure: options.measure?.share ? { range: [0, 1] } : {},
        },
        cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
        hooks: {
          draw: [(made) => drawMarkers(made, options.changes(), colour('--ink-soft'))],
          setCursor: [
            ({ cursor }) => {
              if (cursor.event) options.oncursor(cursor.idx ?? null);
            },
          ],
        },
        axes: [
          stepAxis(colour),
          axis(colour, fitting, (_chart, values) => values.map((v) => (v === null ? '' : figure(v)))),
          ...(options.measure ? [measureAxis(colour, options.measure.text)] : []),
        ],
        series: [
          {},
          { stroke: () => colour('--line-strong'), width: 1, alpha: 0.55, points: { show: false } },
          { stroke: () => colour('--tuned'), width: 2.5, points: { show: false } },
          {
            stroke: () => colour('--ink'),
            width: 0,
            paths: () => null,
            points: { show: true, size: 7, fill: () => colour('--ink') },
          },
          {
            scale: 'measure',
            show: options.measure !== null,
            stroke: () => colour('--ink'),
            width: 1,
            dash: [2, 4],
            spanGaps: true,
            points: { show: true, size: 7, width: 1.5, fill: () => colour('--paper') },
          },
          {
            stroke: () => colour('--ink-soft'),
            width: 1.5,
            dash: [5, 4],
            spanGaps: true,
            points: { show: false },
          },
        ],
      },
      [[], [], [], [], [], []],
      element,
    );
    options.onready(chart);

    const resize = new ResizeObserver(() =>
      chart.setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    resize.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const redraw = () => chart.redraw(false, true);
    scheme.addEventListener('change', redraw);
    return () => {
      resize.disconnect();
      scheme.removeEventListener('change', redraw);
      options.onready(null);
      chart.destroy();
    };
  };
}

/** CSS pixels that the label of the last step reaches beyond it. */
const overhang = (total: number): number => Math.ceil(labelWidth(count(total)) / 2) + 2;

/** Steps: the last one is always named. */
const stepAxis = (colour: (name: string) => string): uPlot.Axis => ({
  ...axis(colour, 26, (_chart, values) => values.map((v) => (v === null ? '' : count(v)))),
  splits: (chart, _axis, _min, max) => stepTicks(max, chart.bbox.width / devicePixelRatio),
});

/** Room for the longest figure of an axis; 7 CSS pixels hold a digit of 12. */
const fitting = (_chart: uPlot, values: string[] | null): number =>
  Math.max(26, 10 + 7 * Math.max(0, ...(values ?? []).map((text) => text.length)));

const measureAxis = (colour: (name: string) => string, text: (value: number) => string): uPlot.Axis => ({
  ...axis(colour, fitting, (_chart, values) => values.map((v) => (v === null ? '' : text(v)))),
  scale: 'measure',
  // 1 is right: the enum that names it exists in the types only.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
  side: 1,
  grid: { show: false },
});

function axis(
  colour: (name: string) => string,
  size: uPlot.Axis['size'],
  values?: (chart: uPlot, splits: (number | null)[]) => string[],
): uPlot.Axis {
  return {
    stroke: () => colour('--ink-soft'),
    font: '12px system-ui',
    size,
    gap: 4,
    values,
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { show: false },
  };
}
