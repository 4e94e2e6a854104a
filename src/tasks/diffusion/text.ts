/** @file Text encoders: token ids → hidden states, and for SDXL the pooled text. */
import type { Graph, Value } from '#src/graph/types.ts';
import { type Model, ModelError } from '#src/onnx/model.ts';
import { free, inputOf, shown, staticGraph } from './binding.ts';

export interface BoundText {
  readonly graph: Graph;
  readonly ids: Value;
  /** [batch, tokens, width]. */
  readonly hidden: Value;
  /** [batch, width]; null: not wanted. */
  readonly pooled: Value | null;
}

export interface TextWish {
  /** For messages. */
  readonly path: string;
  readonly batch: number;
  readonly tokens: number;
  /** The last layer's states behind its norm, or the last layer but one's as they are (SDXL). */
  readonly layer: 'last' | 'penultimate';
  readonly pooled: boolean;
}

/** The text encoder at a batch, with the wanted outputs only. Throws GraphError or ModelError. */
export function bindText(model: Model, { path, batch, tokens, layer, pooled }: TextWish): BoundText {
  const { inputs } = model.graph;
  const ids = inputs.find((v) => v.name === 'input_ids') ?? inputs[0];
  if (!ids || inputs.length !== 1)
    throw new ModelError(
      `${path} should take token ids only; it takes ${inputs.map(shown).join(', ') || 'nothing'}.`,
    );
  const graph = staticGraph(model, free(ids, [batch, tokens]));
  const bound = inputOf(path, graph, ids.name, [batch, tokens]);
  if (bound.type !== 'int32' && bound.type !== 'int64')
    throw new ModelError(`Input ${ids.name} of ${path} has type ${bound.type}. Export it as int64 or int32.`);
  const hidden = layer === 'last' ? lastHidden(graph) : penultimate(graph);
  if (!hidden)
    throw new ModelError(
      `${path} has no output of ${layer === 'last' ? 'hidden states' : 'the hidden states of the last layer but one (hidden_states.…)'}: it has ${graph.outputs.map(shown).join(', ')}. Export the model with \`optimum-cli export onnx\`.`,
    );
  const text = pooled
    ? (graph.outputs.find((o) => o.name === 'text_embeds') ?? graph.outputs.find((o) => o.shape.length === 2))
    : null;
  if (text === undefined)
    throw new ModelError(
      `${path} has no output of the pooled text (text_embeds): it has ${graph.outputs.map(shown).join(', ')}.`,
    );
  return { graph: { ...graph, outputs: text ? [hidden, text] : [hidden] }, ids: bound, hidden, pooled: text };
}

const lastHidden = ({ outputs }: Graph): Value | undefined => {
  const named = outputs.find((o) => o.name === 'last_hidden_state');
  return named ?? outputs.find((o) => o.shape.length === 3);
};

/** optimum's hidden_states.0 … hidden_states.N: the input of the first layer, then each layer's output. */
function penultimate({ outputs }: Graph): Value | undefined {
  const states = outputs
    .map((o) => ({ o, index: Number(/^hidden_states\.(\d+)$/.exec(o.name)?.[1] ?? NaN) }))
    .filter(({ index }) => !Number.isNaN(index))
    .sort((a, b) => a.index - b.index);
  return states.at(-2)?.o;
}
