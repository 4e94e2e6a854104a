/** @file What the losses so far say of a run that goes wrong: it grows far beyond its start, or never leaves what a guess would have. */

export interface WatchFacts {
  /** Largest rate of the run. */
  readonly learningRate: number;
  /** What the rate would be if nobody had said one. */
  readonly usualRate: number;
  /** Loss of a model that only guesses, ln of the classes; null: not known. */
  readonly guess: number | null;
  /** Steps in which the rate still rises. */
  readonly warmup: number;
}

export interface Trouble {
  readonly kind: 'grows' | 'stays';
  readonly message: string;
  readonly cure: string;
}

/** So many losses are looked at together: single ones jump, above all in diffusion. */
const FEW = 5;
/** A loss is said to grow beyond so many times its start. */
const TIMES = 10;
/** Losses that must be no better than a guess, at the run's beginning and now; more of them where they jump about. */
const MANY = 20;
/** Standard error of their mean, as a share of the guess. */
const EXACT = 0.015;
/** A loss is at a guess's from this share of it to that. */
const [BELOW, ABOVE] = [0.98, 1.1];

const median = (xs: readonly number[]): number => xs.toSorted((a, b) => a - b)[xs.length >> 1]!;
const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;
const two = (x: number): string => String(Number(x.toPrecision(2)));
const shown = (x: number): string => (x < 1000 ? String(Number(x.toPrecision(3))) : x.toExponential(1));

/** Lower: the usual one if that is far enough below, else a fifth. */
const lower = ({ learningRate, usualRate }: WatchFacts): string =>
  two(usualRate <= learningRate / 2 ? usualRate : learningRate / 5);

/** Standard deviation of the noise in ln(loss), by the median jump from one to the next beyond the usual one. */
function jumpiness(losses: readonly number[]): number {
  const jumps = losses.slice(1).map((x, i) => Math.log(x / losses[i]!));
  const usual = median(jumps);
  return (1.4826 * median(jumps.map((j) => Math.abs(j - usual)))) / Math.SQRT2;
}

/**
 * The last {@link FEW} losses are all above the first ones, and their median more than {@link TIMES} times the first ones', and more than five
 * standard errors beyond them: of losses that only jump about, however wildly, all of it together hardly ever happens.
 */
function grows(losses: readonly number[], facts: WatchFacts): Trouble | null {
  const [first, last] = [losses.slice(0, FEW), losses.slice(-FEW)];
  if (losses.length < 2 * FEW) {
    // Too few to be sure of less.
    const start = losses[0]!;
    const fast = losses.length > FEW && start > 0 && last.every((x) => x > 10 * TIMES * start);
    return fast ? growth(start, last, facts) : null;
  }
  // What blew up within the first few is held against the very first.
  const start = Math.min(
    median(first),
    first[0]! > 0 && median(first) > TIMES * first[0]! ? first[0]! : Infinity,
  );
  const ceiling = start === first[0] ? start * TIMES : Math.max(...first);
  const small = 1e-6;
  if (!first.every((x) => x > 0) || median(last) <= TIMES * Math.max(start, small)) return null;
  if (!last.every((x) => x > ceiling)) return null;
  // The median of FEW normal numbers has the variance π/2 / FEW; here are two of them.
  const error = jumpiness(losses.filter((x) => x > 0)) * Math.sqrt(Math.PI / FEW);
  return median(last) > start * Math.exp(5 * error) ? growth(start, last, facts) : null;
}

const growth = (start: number, last: readonly number[], facts: WatchFacts): Trouble => ({
  kind: 'grows',
  message: `The loss has grown to ${shown(median(last) / start)} times what it was at the start (${shown(start)}, now ${shown(median(last))}): the learning rate, ${two(facts.learningRate)}, is likely too high for this model, or its inputs are not what it was trained on (the range of colours, for pictures).`,
  cure: `Stop, and start again with the learning rate ${lower(facts)}.`,
});

/** The mean of the first losses and that of the last are a guess's, and so is the mean of all; so many are looked at that the means are exact. */
function stays(losses: readonly number[], facts: WatchFacts): Trouble | null {
  const { guess, learningRate, usualRate, warmup } = facts;
  if (guess === null || !(guess > 0) || losses.length < 2 * MANY + warmup) return null;
  const at = (xs: readonly number[]): boolean => mean(xs) > BELOW * guess && mean(xs) < ABOVE * guess;
  if (!at(losses.slice(-MANY)) || !at(losses)) return null;
  const middle = mean(losses);
  const variance = mean(losses.map((x) => (x - middle) ** 2));
  const many = Math.max(MANY, Math.ceil(variance / (EXACT * guess) ** 2));
  if (losses.length < 2 * many + warmup) return null;
  const [first, last] = [losses.slice(0, many), losses.slice(-many)];
  if (!at(first) || !at(last) || mean(last) < mean(first) - (1 - BELOW) * guess) return null;
  const high = losses.some((x) => x > 1.5 * guess) || learningRate >= 4 * usualRate;
  return {
    kind: 'stays',
    message: `After ${losses.length} steps the loss is still ${shown(mean(last))}, what guessing gives (${shown(guess)}): the model learns nothing of its classes. ${high ? 'The learning rate is likely too high.' : 'The learning rate is likely too low, the labels do not belong to the examples, or the output is not made for them.'}`,
    cure: high
      ? `Stop, and start again with the learning rate ${lower(facts)}.`
      : `Look whether labels and examples belong together; then start again with the learning rate ${two(3 * learningRate)}.`,
  };
}

/**
 * What is wrong with a run, after its newest step; null: nothing that these losses show.
 * @param losses of all steps so far; those that are not finite are another matter, and left out
 */
export function lossTrouble(losses: readonly number[], facts: WatchFacts): Trouble | null {
  const finite = losses.filter(Number.isFinite);
  if (finite.length <= FEW) return null;
  return grows(finite, facts) ?? stays(finite, facts);
}

const looks = [
  ['grows', grows],
  ['stays', stays],
] as const;

/** Says each kind of trouble once. */
export class LossWatch {
  readonly #facts: WatchFacts;
  readonly #losses: number[] = [];
  readonly #said = new Set<Trouble['kind']>();

  /** @param before losses of the run's earlier lives, whose trouble was said then */
  constructor(facts: WatchFacts, before: Iterable<number> = []) {
    this.#facts = facts;
    for (const loss of before) this.note(loss);
  }

  /** The newest loss; what is new to say. */
  note(loss: number): Trouble | null {
    if (!Number.isFinite(loss)) return null;
    this.#losses.push(loss);
    if (this.#losses.length <= FEW) return null;
    for (const [kind, look] of looks) {
      const trouble = this.#said.has(kind) ? null : look(this.#losses, this.#facts);
      if (trouble) {
        this.#said.add(kind);
        return trouble;
      }
    }
    return null;
  }
}
