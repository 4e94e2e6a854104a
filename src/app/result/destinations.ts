/** @file Where an adapter can go: what to save for it, and where to put the file. */
import { adapterFormats, adapterKind } from '#src/formats/adapters/adapterFiles.ts';
import type { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts';

export interface Destination {
  readonly format: AdapterFormat;
  /** Where it will be used. */
  readonly name: string;
  /** What is saved. */
  readonly file: string;
  /** Where to put it, or how to load it. */
  readonly place: string;
  /** What the file is: the whole model, or an adapter that is used beside it. */
  readonly noun: 'model' | 'adapter';
}

export const destinations: readonly Destination[] = adapterFormats
  .map((format) => ({ format, ...adapterKind(format) }))
  .sort((a, b) => a.rank - b.rank)
  .map(({ format, words, holds }) => ({ format, ...words, noun: holds === 'model' ? 'model' : 'adapter' }));

/** Those that load models of this task, best known first, before those that most likely do not. */
export function destinationsFor(task: string): {
  readonly fitting: readonly Destination[];
  readonly others: readonly Destination[];
} {
  const fits = ({ format }: Destination): boolean => adapterKind(format).tasks?.includes(task) ?? true;
  return { fitting: destinations.filter(fits), others: destinations.filter((each) => !fits(each)) };
}

/** What stands between an adapter and a format. */
export interface Verdict {
  readonly verdict: 'whole' | 'loss' | 'no';
  /** Why not, with what would help; or what is lost. */
  readonly words: readonly string[];
  /** A new last layer would not be in the file. */
  readonly headless: boolean;
}

interface Fit {
  readonly obstacles: readonly { readonly reason: string; readonly cure: string }[];
  readonly losses: readonly string[];
}

/**
 * @param headless the format cannot hold the new last layer that was trained
 * @param refused why the writer itself refused this model
 */
export function verdictOf({ obstacles, losses }: Fit, headless = false, refused?: string): Verdict {
  if (refused !== undefined) return { verdict: 'no', words: [refused], headless };
  if (obstacles.length > 0)
    return { verdict: 'no', words: obstacles.map(({ reason, cure }) => `${reason} ${cure}`), headless };
  return { verdict: losses.length > 0 ? 'loss' : 'whole', words: losses, headless };
}

/** Where most adapters fit whole: what is offered before the layers are known. */
export const usualOf = (fitting: readonly Destination[]): number =>
  Math.max(
    0,
    fitting.findIndex(({ format }) => format === 'lycoris'),
  );

/**
 * The first destination that takes the adapter whole, else the first with its last layer, else the first that takes it at all.
 * @param verdicts of the fitting ones; those of others count only where these take nothing
 */
export function bestDestination(verdicts: readonly Verdict[], others: readonly Verdict[] = []): number {
  const first = (fits: (verdict: Verdict) => boolean): number[] => {
    const at = verdicts.findIndex(fits);
    return at < 0 ? [] : [at];
  };
  const found = [
    ...first(({ verdict }) => verdict === 'whole'),
    ...first(({ verdict, headless }) => verdict === 'loss' && !headless),
    ...first(({ verdict }) => verdict === 'loss'),
  ];
  if (found[0] !== undefined) return found[0];
  return others.some(({ verdict }) => verdict !== 'no') ? verdicts.length + bestDestination(others) : 0;
}

/** What a person should know before training: where its result could not go. */
export const unsaveableWords = ({ format, reason }: { format: AdapterFormat; reason: string }): string =>
  `It can be trained, but not saved for ${destinations.find((d) => d.format === format)?.name ?? format}: ${reason}`;
