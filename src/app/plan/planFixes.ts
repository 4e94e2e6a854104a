/** @file The one change of a plan that makes a tool load its file: found by trying, so that what a button promises is what it does. */
import { compatibility } from '#src/oft/preflight/compatibility.ts';
import type { ToolVerdict } from '#src/oft/modules/types.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import type { Layer, LayerSettings, Plan, Rule } from '#src/oft/types.ts';
import { editSettings } from './planEdits.ts';

export interface Fix {
  /** What the change does, as a button says it. */
  readonly words: string;
  readonly plan: Plan;
  /** What the tool then makes of the file. */
  readonly verdict: ToolVerdict['verdict'];
}

/** Sets the plan's own settings and silences every rule about them, so that they hold for all layers. */
function everywhere(plan: Plan, part: Partial<LayerSettings>): Plan {
  const keys = new Set(Object.keys(part));
  // Conventions of a side go with it.
  if (keys.has('side')) for (const key of ['parameters', 'neumannTerms', 'clamp', 'algorithm']) keys.add(key);
  const rules = plan.rules.map(
    (rule) => Object.fromEntries(Object.entries(rule).filter(([key]) => !keys.has(key))) as unknown as Rule,
  );
  return editSettings({ ...plan, rules }, part);
}

const skipping = (plan: Plan, rules: readonly Rule[]): Plan => ({
  ...plan,
  rules: [...rules.map((rule) => ({ ...rule, skip: true })), ...plan.rules],
});

/** Small changes first. */
function candidates(layers: readonly Layer[], plan: Plan): readonly { words: string; plan: Plan }[] {
  const kernels = [...new Set(layers.flatMap(({ kernel }) => kernel))]
    .filter((k) => k > 1)
    .sort((a, b) => a - b);
  const list: { words: string; plan: Plan }[] = [
    { words: 'Do without rescale', plan: everywhere(plan, { rescale: false }) },
    { words: 'Do without a constraint', plan: everywhere(plan, { constraint: 0 }) },
    { words: 'Use the exact Cayley transform', plan: everywhere(plan, { neumannTerms: null }) },
    { words: 'Use PEFT’s series of 5 terms', plan: everywhere(plan, { neumannTerms: 5 }) },
    { words: 'Do not share blocks', plan: everywhere(plan, { blocks: withoutShare(plan) }) },
    { words: 'Cut by LyCORIS’s dim 4', plan: everywhere(plan, { blocks: { dim: 4 } }) },
    { words: 'Cut into blocks of 4', plan: everywhere(plan, { blocks: { size: 4, fit: 'nearest' } }) },
    { words: 'Turn by plain OFT, not BOFT', plan: everywhere(plan, { algorithm: 'diag' }) },
    ...(kernels.length > 0
      ? [
          {
            words: 'Leave convolutions wider than 1×1 alone',
            plan: skipping(
              plan,
              kernels.map((kernel) => ({ match: { kind: 'conv', kernel } })),
            ),
          },
        ]
      : []),
    { words: 'Leave all convolutions alone', plan: skipping(plan, [{ match: { kind: 'conv' } }]) },
    {
      words: 'Turn outputs, cut by LyCORIS’s dim 4',
      plan: everywhere(plan, { side: 'output', blocks: { dim: 4 }, rescale: false, constraint: 0 }),
    },
  ];
  const inputs = everywhere(plan, {
    side: 'input',
    blocks: { size: 32, fit: 'nearest' },
    rescale: false,
    constraint: 0,
  });
  list.push({ words: 'Turn inputs, as PEFT does', plan: inputs });
  list.push({
    words: 'Turn inputs of linear layers only, as PEFT does',
    plan: skipping(inputs, [{ match: { kind: 'conv' } }]),
  });
  return list;
}

function withoutShare({ blocks }: Plan): Plan['blocks'] {
  const { share: _share, ...rest } = blocks;
  return rest;
}

const rank = { loads: 2, loss: 1, no: 0 } as const;

/** The first change after which the tool loads the file whole; else the first that helps at all; null where none does. */
export function fixFor(tool: ToolVerdict['tool'], layers: readonly Layer[], plan: Plan): Fix | null {
  const judge = (candidate: Plan): ToolVerdict | null => {
    const { planned, problems } = planLayers(layers, candidate);
    if (planned.length === 0 || problems.some(({ severity }) => severity === 'error')) return null;
    return compatibility(planned).find((each) => each.tool === tool) ?? null;
  };
  // Even of a plan with errors: what the badge shows is what a fix must better.
  const now =
    compatibility(planLayers(layers, plan).planned).find((each) => each.tool === tool)?.verdict ?? 'no';
  let best: Fix | null = null;
  for (const { words, plan: candidate } of candidates(layers, plan)) {
    const verdict = judge(candidate)?.verdict ?? 'no';
    if (rank[verdict] > rank[best?.verdict ?? now]) best = { words, plan: candidate, verdict };
    if (best?.verdict === 'loads') break;
  }
  return best;
}
