/** @file What is said of a saved run in the list: how it stands, when it was, what it came to. */
import type { RunSummary } from '#workers/protocol.ts';
import { count, figure, percent } from '../words/format.ts';

/**
 * How a run stands, in a few words.
 * @param live it goes on in this tab; `elsewhere`: some run goes on in another one
 */
export function standingOf(run: RunSummary, live: boolean, elsewhere: boolean): string {
  const at = `step ${count(run.step)} of ${count(run.total)}`;
  if (live) return 'Training now';
  switch (run.state) {
    case 'finished':
      return `Finished, ${count(run.total)} steps`;
    case 'stopped':
      return `Stopped at ${at}`;
    case 'failed':
      return run.checkpoints > 0 ? `Failed, saved at ${at}` : 'Failed before anything was saved';
    case 'paused':
      return `Paused at ${at}`;
    case 'running':
      if (elsewhere) return 'Training in another tab';
      return run.checkpoints > 0 ? `Cut off, saved at ${at}` : 'Cut off before anything was saved';
  }
}

/** "accuracy 92 %", "held-out loss down by 21 %"; '': it was not judged. */
export function measureOf({ measure, heldout }: RunSummary): string {
  if (measure && !/loss/i.test(measure.name))
    return `${measure.name} ${measure.unit === 'share' ? percent(measure.value) : figure(measure.value)}`;
  if (!heldout || heldout.first === heldout.last) return '';
  const change = (heldout.last - heldout.first) / heldout.first;
  return `held-out loss ${change < 0 ? 'down' : 'up'} by ${percent(Math.abs(change))}`;
}

/** Whether it can go on from a checkpoint. */
export const canGoOn = (run: RunSummary): boolean => !run.finished && run.checkpoints > 0;

/** Points of a line through the losses in a box, from the first to the last: for `points` of an SVG polyline. '': too few. */
export function sparkline(losses: readonly number[], width: number, height: number): string {
  if (losses.length < 2) return '';
  const low = Math.min(...losses);
  const range = Math.max(...losses) - low || 1;
  return losses
    .map((loss, i) => {
      const x = (i / (losses.length - 1)) * width;
      const y = height - ((loss - low) / range) * height;
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
}
