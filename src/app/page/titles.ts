/** @file What stands in the browser's tab: the view, or how far a run is. */
import { percent } from '../words/format.ts';
import type { Screen } from './screens.ts';

export interface Seen {
  readonly screen: Screen;
  /** Of the task that is prepared. */
  readonly task: string;
  readonly run: { readonly busy: boolean; readonly progress: number; readonly status: string };
  /** Of an adapter that is tried instead of a run's result; null: none. */
  readonly opened: string | null;
}

const ended: Readonly<Record<string, string>> = { done: 'Done', failed: 'Stopped', paused: 'Paused' };

function nameOf({ screen, task, run, opened }: Seen): string | null {
  // Whoever looks elsewhere meanwhile wants to know how far it is.
  if (run.busy) return percent(run.progress);
  switch (screen) {
    case 'home':
      return null;
    case 'model':
      return 'Model';
    case 'new':
      return task;
    case 'run':
      return ended[run.status] ?? 'Training';
    case 'result':
      return opened ?? ended[run.status] ?? 'Result';
    case 'words':
      return 'Words';
    case 'about':
      return 'About';
  }
}

/** "Write text · Rotune", "34 % · Rotune", "Done · Rotune". */
export function titleOf(seen: Seen): string {
  const name = nameOf(seen);
  return name === null ? 'Rotune' : `${name} · Rotune`;
}
