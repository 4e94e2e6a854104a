/** @file Cases in a process of their own, ended where one takes too long; what came of each. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../ensure.mjs';
import type { Outcome } from '../../e2e/fuzz/outcome.ts';
import type { Told } from './cases.ts';

/** How cases are run; tests have scripts of their own. */
interface Way {
  readonly script: string;
  /** Milliseconds without an answer after which a case counts as hung. */
  readonly silence: number;
  /** The last seed; absent: time alone ends it. */
  readonly last?: number;
}
const usual: Way = { script: join(ROOT, 'scripts/fuzz/cases.mjs'), silence: 5000 };
/** Milliseconds for a process to load the sources. */
const LOADING = 120_000;

export interface Ended {
  readonly seed: number;
  /** `hung`: no answer within five seconds, twice. `died`: the process ended, twice. */
  readonly was: Outcome['was'] | 'hung' | 'died';
  readonly why: string;
  readonly ms: number;
}

type Fate = { readonly next: number; readonly why: 'hung' | 'died' | 'time' };

/** One process, from a seed on, until time is over or a case takes it along. */
function untilItEnds(
  { script, silence }: Way,
  kind: string,
  from: number,
  until: number,
  each: (ended: Ended) => void,
): Promise<Fate> {
  return new Promise((resolve) => {
    const child: ChildProcess = fork(script, [kind, String(from)], {
      execArgv: ['--max-old-space-size=2048'],
    });
    let next = from;
    let why: Fate['why'] = 'died';
    let watch: NodeJS.Timeout;
    const end = (fate: Fate['why']): void => {
      why = fate;
      child.kill('SIGKILL');
    };
    const wait = (ms: number): void => {
      clearTimeout(watch);
      watch = setTimeout(() => end('hung'), ms);
    };
    const over = setTimeout(() => end('time'), Math.max(0, until - Date.now()));
    wait(LOADING);
    child.on('message', (told: Told) => {
      wait(silence);
      if ('ready' in told) return;
      next = told.seed + 1;
      each(told);
    });
    child.on('exit', () => {
      clearTimeout(watch);
      clearTimeout(over);
      resolve({ next, why });
    });
  });
}

/**
 * Tries cases of a kind until time is over. A case that does not end, or ends the process, is tried once more before it is told of.
 * @param from the first seed
 * @param until milliseconds since 1970
 */
export async function watched(
  kind: string,
  from: number,
  until: number,
  each: (ended: Ended) => void,
  way: Way = usual,
): Promise<void> {
  let [next, suspect] = [from, -1];
  for (;;) {
    const fate = await untilItEnds(way, kind, next, until, each);
    next = fate.next;
    if (fate.why === 'time' || Date.now() >= until) return;
    if (suspect === next) {
      each({ seed: next, was: fate.why, why: `The case ${fate.why}.`, ms: way.silence });
      next++;
      if (next > (way.last ?? Infinity)) return;
    } else suspect = next;
  }
}
