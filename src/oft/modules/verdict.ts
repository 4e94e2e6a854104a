/** @file Whether a tool finds what was written: the keys of a file against the names that the tool looks for. */
import type { ToolFormat, ToolVerdict } from './types.ts';
import type { PlannedLayer } from '../types.ts';
import { keyOf } from './keys.ts';
import { keysSought, type Tool } from './readers.ts';
import { isText, moduleOf } from './tree.ts';

type Planned = readonly PlannedLayer[];

/** Layers that a kind of file holds: those on the input side leave out blocks that cannot turn. */
export const fileLayers = (format: ToolFormat, planned: Planned): Planned =>
  format === 'peft' || format === 'oft_r' ? planned.filter((p) => p.size > 1) : planned;

/** Those layers of a file whose keys the tool finds, and those that it passes over. */
export function foundBy(
  tool: Tool,
  format: ToolFormat,
  planned: Planned,
): { readonly found: Planned; readonly missed: Planned } {
  if (format === 'onnx') return { found: planned, missed: [] };
  const one = tool === 'PEFT' ? onePart(planned) : null;
  const [found, missed]: [PlannedLayer[], PlannedLayer[]] = [[], []];
  for (const p of fileLayers(format, planned))
    ((one === null || (p.layer.part ?? '') === one) &&
    keysSought(tool, p.layer).includes(keyOf(format, p.layer))
      ? found
      : missed
    ).push(p);
  return { found, missed };
}

/** PEFT puts a folder into one model: where several are trained together, the one that draws. null: there is but one. */
function onePart(planned: Planned): string | null {
  const parts = new Set(planned.map(({ layer }) => layer.part ?? ''));
  if (parts.size < 2) return null;
  const [first] = planned;
  return (planned.find(({ layer }) => !isText(layer)) ?? first)?.layer.part ?? '';
}

/** Names for a sentence: at most three. */
const some = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} more` : names.join(', ');

/** Why a tool passes over layers, and the way out. */
function why(
  tool: Tool,
  format: ToolFormat,
  missed: Planned,
): { readonly reason: string; readonly change: string } {
  const { sdxl } = moduleOf(missed[0]!.layer);
  const names = some(missed.map(({ layer }) => layer.path));
  if (tool === 'PEFT')
    return {
      reason: `A folder of PEFT goes into one model, and the text encoder is another: ${names} stay as they were.`,
      change: 'Skip the text encoder by a rule, or save the merged models.',
    };
  if (tool === 'kohya sd-scripts' && sdxl && keysSought(tool, missed[0]!.layer).length > 0)
    return {
      reason: `For SDXL it looks for the names of the original code (${keysSought(tool, missed[0]!.layer)[0]!}), but this file has diffusers’ (${keyOf(format as 'oft_r', missed[0]!.layer)}).`,
      change: 'Save the merged model, or whole weight differences (.diff), for it.',
    };
  return {
    reason: `It does not look for ${names}.`,
    change: 'Skip these layers by a rule, or save the merged model.',
  };
}

/** What a file's losses say of the names in it. */
export function nameLosses(tool: Tool, format: ToolFormat, planned: Planned): string[] {
  const { found, missed } = foundBy(tool, format, planned);
  if (missed.length === 0) return [];
  return [
    `${tool} finds ${found.length === 0 ? 'none' : found.length} of the ${found.length + missed.length} layers in it. ${why(tool, format, missed).reason}`,
  ];
}

/** Tools that load into any Python model; others know the models that they run. */
const anywhere: readonly Tool[] = ['LyCORIS', 'PEFT'];

/** What a Python model must be called like for its layers to be found, where no family of models is known by the names. */
function needed(tool: Tool, found: Planned): string | null {
  if (!anywhere.includes(tool)) return null;
  const own = found.filter(({ layer }) => moduleOf(layer).family === 'other');
  const paths = own.map(({ layer }) => moduleOf(layer).path);
  if (own.length > 0)
    return `The Python model that it is loaded into must call its modules as this file does: ${some(paths)}.`;
  const text = found.find(({ layer }) => isText(layer) && moduleOf(layer).family === 'clip')?.layer;
  if (!text) return null;
  const flattened =
    !moduleOf(text).path.startsWith('text_model.') && moduleOf(text).path !== 'text_projection';
  if (tool === 'PEFT')
    return `The text encoder’s modules are called as in transformers ${flattened ? '5, without' : '4, with'} text_model.: load it with that version.`;
  return flattened
    ? 'The text encoder’s keys have the level text_model, as sd-scripts, ComfyUI and transformers 4 call it; CLIPTextModel of transformers 5 has left it out.'
    : null;
}

/** A verdict with the number of layers that are found; one that finds none does not load. */
export function withNames(
  verdict: Omit<ToolVerdict, 'found' | 'of' | 'names'>,
  planned: Planned,
): ToolVerdict {
  const of = planned.length;
  const { tool, format } = verdict;
  const known = planned.some(({ layer }) => keysSought(tool, layer).length > 0);
  const strange = planned.every(({ layer }) => moduleOf(layer).family === 'other');
  if (!known && strange && of > 0)
    return {
      tool,
      verdict: 'no',
      format: null,
      losses: ['It runs diffusion models, and no layer here has the name of one.'],
      change: 'Save the merged model, or use LyCORIS or PEFT in Python.',
      found: 0,
      of,
      names: null,
    };
  if (verdict.verdict === 'no' || format === null) return { ...verdict, found: 0, of, names: null };
  const { found, missed } = foundBy(tool, format, planned);
  if (found.length + missed.length === 0)
    return {
      tool,
      verdict: 'no',
      format: null,
      losses: ['No layer has blocks that can turn: the file would be empty.'],
      change: 'Choose larger blocks.',
      found: 0,
      of,
      names: null,
    };
  const names = needed(tool, found);
  if (missed.length === 0) return { ...verdict, found: found.length, of, names };
  const { reason, change } = why(tool, format, missed);
  if (found.length === 0)
    return {
      tool,
      verdict: 'no',
      format: null,
      losses: [`It finds none of the ${missed.length} layers. ${reason}`, ...verdict.losses],
      change,
      found: 0,
      of,
      names: null,
    };
  return {
    ...verdict,
    verdict: 'loss',
    losses: [
      `It finds ${found.length} of ${found.length + missed.length} layers. ${reason}`,
      ...verdict.losses,
    ],
    change: verdict.change ?? change,
    found: found.length,
    of,
    names,
  };
}
