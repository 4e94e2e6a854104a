/** @file Where a result will be used, and the plan that the place can hold: asked before training, not learnt after it. */
import { adapterKind } from '#src/formats/adapters/adapterFiles.ts';
import type { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts';
import { compatibility } from '#src/oft/preflight/compatibility.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import type { Layer, Plan } from '#src/oft/types.ts';
import { fixFor } from './planFixes.ts';

export interface Place {
  readonly id: 'here' | AdapterFormat;
  readonly name: string;
  /** What is saved for it; null: nothing need be. */
  readonly format: AdapterFormat | null;
}

const HERE: Place = { id: 'here', name: 'Here', format: null };

/** Kinds of file that a newcomer is asked about; the others are found when saving. */
const ASKED: readonly AdapterFormat[] = ['comfyui', 'lycoris', 'peft', 'oft_r', 'onnx'];
/** Of programs that draw pictures. */
const DRAWING: readonly AdapterFormat[] = ['comfyui', 'oft_r'];

/** Where a result of this task can be used; the first is the default. */
export const placesOf = (task: string): readonly Place[] => [
  HERE,
  ...ASKED.filter((format) => task === 'diffusion' || !DRAWING.includes(format)).map((format) => ({
    id: format,
    name: format === 'onnx' ? 'As an ONNX model' : adapterKind(format).words.name,
    format,
  })),
];

export interface PlacedPlan {
  readonly plan: Plan;
  /** What was changed for the place, as a sentence; null: the plan as it was fits. */
  readonly change: string | null;
  /** What the place will lose or not load at all, in sentences. */
  readonly losses: readonly string[];
}

const toolsOf = ({ format }: Place) => (format === null ? [] : (adapterKind(format).tools ?? []));

/** What the place makes of a plan: of its programs, the first decides. */
function verdictOf(place: Place, layers: readonly Layer[], plan: Plan) {
  const [tool] = toolsOf(place);
  if (tool === undefined) return null;
  return compatibility(planLayers(layers, plan).planned).find((each) => each.tool === tool) ?? null;
}

/** Whether the place loads the whole of what the plan makes. */
export function holds(place: Place, layers: readonly Layer[], plan: Plan): boolean {
  const verdict = verdictOf(place, layers, plan);
  return verdict === null || verdict.verdict === 'loads';
}

/** Whether the place loads another plan as well as it loads this one: whole, or neither of them. */
export const heldAsWell =
  (place: Place, layers: readonly Layer[], plan: Plan) =>
  (other: Plan): boolean =>
    !holds(place, layers, plan) || holds(place, layers, other);

/** The plan as it is where the place loads it whole, else with the one change after which it does, or which helps most. */
export function planFor(place: Place, layers: readonly Layer[], plan: Plan): PlacedPlan {
  const now = verdictOf(place, layers, plan);
  if (now === null || now.verdict === 'loads') return { plan, change: null, losses: [] };
  const fix = fixFor(now.tool, layers, plan);
  if (!fix) return { plan, change: null, losses: now.losses };
  const then = verdictOf(place, layers, fix.plan);
  return { plan: fix.plan, change: fix.words, losses: then?.losses ?? [] };
}
