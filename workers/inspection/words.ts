/** @file Whether a model can be trained, in words for people. */
import type { PlainError } from '#src/platform/refusals.ts';
import { noLayerWords, type Unadapted } from '#src/oft/layers/layers.ts';
import { roundingWords } from '#src/ops/integers/types.ts';
import type { InspectedDim, InspectedLayer, InspectedModel, InspectedObstacle } from './types.ts';

interface Findings {
  readonly layers: readonly InspectedLayer[];
  readonly obstacles: readonly InspectedObstacle[];
  /** Files of weights that are not there. */
  readonly missing: readonly string[];
  /** Why it could not be bound, or no step compiled. */
  readonly error: PlainError | null;
  readonly dims: readonly InspectedDim[];
  /** Nodes that multiply by constants and are no layers. */
  readonly unadapted: readonly Unadapted[];
  /** It rounds activations to whole numbers. */
  readonly rounded: boolean;
}

type Verdict = Pick<InspectedModel, 'trainable' | 'problems'>;

const plural = (n: number, unit: string): string => `${n} ${unit}${n === 1 ? '' : 's'}`;

/** A few names, and how many more. */
const some = (names: readonly string[], most = 3): string =>
  names.length <= most
    ? names.join(', ')
    : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;

export function trainability({
  layers,
  obstacles,
  missing,
  error,
  dims,
  unadapted,
  rounded,
}: Findings): Verdict {
  const no = (words: string, cure?: string, item?: string): Verdict => ({
    trainable: { layers: 0, words, ...(cure !== undefined && { cure }) },
    problems: [
      {
        severity: 'error',
        code: missing.length > 0 ? 'bad-model' : 'unsupported',
        message: words,
        ...(cure !== undefined && { cure }),
        ...(item !== undefined && { item }),
      },
    ],
  });
  if (missing.length > 0)
    return no(
      `The weights are not here: the model keeps them in ${some(missing)}.`,
      `Open the model together with ${missing.length === 1 ? 'that file' : 'those files'}, or the whole folder.`,
      missing[0],
    );
  const refused = obstacles.filter((o) => o.blocks && layers.length === 0);
  if (refused.length > 0)
    return no(
      `This model cannot be trained: it has ${some(refused.map((o) => `${o.op} (${plural(o.nodes.length, 'node')})`))}.`,
      refused.length === 1 ? sentence(refused[0]!.reason) : 'The reasons and the ways out are listed below.',
      refused[0]!.nodes[0],
    );
  if (error !== null) {
    const sizes = dims.filter((d) => d.kind !== 'batch' || d.given).map((d) => `${d.name} = ${d.value}`);
    const others =
      sizes.length > 0 ? `If the sizes are wrong (${some(sizes, 4)}), set others under Inputs.` : undefined;
    const cure = [error.cure, others].filter((part) => part !== undefined).join(' ');
    return no(`This model cannot be trained as it is. ${error.message}`, cure === '' ? undefined : cure);
  }
  if (layers.length === 0)
    return no(
      `There is no layer here that could turn: ${noLayerWords(unadapted)}`,
      unadapted.length === 0 ? 'Export the model with its weights (export_params=True).' : undefined,
    );
  const turning = layers.filter((l) => l.reach === 'turns');
  const others = layers.filter((l) => l.reach !== 'turns');
  const why = others.some((l) => l.reach === 'blocked')
    ? 'behind the others lie nodes that no gradient passes'
    : 'no gradient leads from an output to the others';
  if (turning.length === 0)
    return no(
      `This model cannot be trained: it has ${plural(layers.length, 'layer')}, but no gradient leads from an output to any of them.`,
      'Export it without quantised activations, and with outputs of floating-point numbers.',
    );
  const said = rounded ? ` ${roundingWords.drop.message}` : '';
  const cure = rounded ? { cure: roundingWords.drop.cure } : {};
  if (others.length === 0)
    return {
      trainable: {
        layers: turning.length,
        words: `This model can be trained: ${plural(turning.length, 'layer')} can turn.${said}`,
        ...cure,
      },
      problems: [],
    };
  return {
    trainable: {
      layers: turning.length,
      words: `This model can be trained: ${turning.length} of ${plural(layers.length, 'layer')} can turn; ${why}.${said}`,
      ...cure,
    },
    problems: [
      {
        severity: 'warning',
        code: 'unsupported',
        message: `${plural(others.length, 'layer')} cannot turn: ${some(others.map((l) => l.path))}.`,
        cure: 'Train the others, or export the model without what stands in the way.',
      },
    ],
  };
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
