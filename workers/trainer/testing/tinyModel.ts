/** @file A diffusion model of three layers of each kind and a handful of pictures, as picked files: what takes a second there takes minutes on a real one. */
import { encodePng } from '#src/formats/files/png.ts';
import { attributes, type AttributeInput } from '#src/graph/attributes.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import type { Constant, DType, Model, ModelValue, Node } from '#src/onnx/model.ts';
import { constantOf, sizeOf, tensor } from '#src/onnx/tensor.ts';
import { random } from '#src/tasks/random.ts';
import type { Source } from '../../protocol.ts';

const SIDE = 8;
const WIDTH = 16;
const TOKENS = 4;
const words = ['<pad>', '<unk>', 'ghost', 'robot', 'anchor', 'bear', 'cloud'];

const value = (name: string, type: DType, shape: ModelValue['shape']): ModelValue => ({ name, type, shape });

/** Collects nodes and weights of a graph. */
class Net {
  readonly nodes: Node[] = [];
  readonly initializers = new Map<string, Constant>();

  /** Normal numbers of standard deviation √(gain/fan-in), the same in every call of the same name. */
  weight(name: string, shape: readonly number[], fanIn: number, gain = 1): string {
    const numbers = random(1, name, 0).normal(sizeOf(shape));
    return this.constant(name, tensor('float32', shape, numbers.map((x) => x * Math.sqrt(gain / fanIn)))); // prettier-ignore
  }
  constant(name: string, t: Parameters<typeof constantOf>[0]): string {
    this.initializers.set(name, constantOf(t));
    return name;
  }
  node(
    op: string,
    inputs: readonly string[],
    given: Record<string, AttributeInput> = {},
    output?: string,
  ): string {
    const name = `/${op}_${this.nodes.length}`;
    const made = output ?? `${name}_out`;
    this.nodes.push({ op, domain: '', name, inputs, outputs: [made], attributes: attributes(given) });
    return made;
  }
  model(inputs: ModelValue[], outputs: ModelValue[]): Model {
    const { nodes, initializers } = this;
    return {
      irVersion: 10,
      opsets: new Map([['', 21]]),
      producer: 'a test',
      graph: { name: 'tiny', inputs, outputs, nodes, initializers },
      metadata: new Map(),
    };
  }
}

function textEncoder(): Model {
  const net = new Net();
  const table = net.weight('embeddings.weight', [words.length, WIDTH], 1);
  net.node('Gather', [table, 'input_ids'], { axis: 0 }, 'last_hidden_state');
  return net.model(
    [value('input_ids', 'int64', ['batch', TOKENS])],
    [value('last_hidden_state', 'float32', ['batch', TOKENS, WIDTH])],
  );
}

/** Convolutions of 3×3 and 1×1, a Gemm for the time, a MatMul for the captions. */
function unet(): Model {
  const net = new Net();
  const bias = (name: string, n: number): string => net.weight(name, [n], 100);
  const conv = (x: string, path: string, from: number, to: number, kernel: number, output?: string): string =>
    net.node(
      'Conv',
      [
        x,
        net.weight(`${path}.weight`, [to, from, kernel, kernel], from * kernel ** 2),
        bias(`${path}.bias`, to),
      ],
      { kernel_shape: [kernel, kernel], pads: kernel === 3 ? [1, 1, 1, 1] : [0, 0, 0, 0], strides: [1, 1] },
      output,
    );
  const silu = (x: string): string => net.node('Mul', [x, net.node('Sigmoid', [x])]);
  const axes = (name: string, list: readonly number[]): string =>
    net.constant(name, tensor('int64', [list.length], list));

  const seconds = net.node('Mul', [
    net.node('Unsqueeze', [net.node('Cast', ['timestep'], { to: 1 }), axes('last', [1])]),
    net.constant('frequencies', tensor('float32', [4], [1e-3, 4e-3, 1.6e-2, 6.4e-2])),
  ]);
  const time = net.node(
    'Gemm',
    [
      net.node('Sin', [seconds]),
      net.weight('time_embedding.linear_1.weight', [WIDTH, 4], 4),
      bias('time_embedding.linear_1.bias', WIDTH),
    ],
    { transB: 1 },
  );
  const keys = net.node('MatMul', [
    'encoder_hidden_states',
    net.weight('mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight', [WIDTH, WIDTH], WIDTH),
  ]);
  const caption = net.node('ReduceMean', [silu(keys), axes('tokens', [1])], { keepdims: 0 });
  const condition = net.node('Unsqueeze', [net.node('Add', [time, caption]), axes('pixels', [2, 3])]);
  let x = conv('sample', 'conv_in', 3, WIDTH, 3);
  x = silu(net.node('Add', [x, condition]));
  x = net.node('Add', [x, conv(x, 'mid_block.resnets.0.conv1', WIDTH, WIDTH, 3)]);
  x = silu(conv(x, 'mid_block.attentions.0.proj_in', WIDTH, WIDTH, 1));
  conv(x, 'conv_out', WIDTH, 3, 3, 'out_sample');
  return net.model(
    [
      value('sample', 'float32', ['batch', 3, SIDE, SIDE]),
      value('timestep', 'int64', ['batch']),
      value('encoder_hidden_states', 'float32', ['batch', TOKENS, WIDTH]),
    ],
    [value('out_sample', 'float32', ['batch', 3, SIDE, SIDE])],
  );
}

const tokenizer = {
  version: '1.0',
  truncation: { direction: 'Right', max_length: TOKENS, strategy: 'LongestFirst', stride: 0 },
  padding: { strategy: { Fixed: TOKENS }, direction: 'Right', pad_id: 0, pad_type_id: 0, pad_token: '<pad>' },
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'WhitespaceSplit' },
  post_processor: null,
  decoder: null,
  model: { type: 'WordLevel', vocab: Object.fromEntries(words.map((w, i) => [w, i])), unk_token: '<unk>' },
};
const scheduler = {
  _class_name: 'DDIMScheduler',
  beta_start: 0.0001,
  beta_end: 0.02,
  beta_schedule: 'squaredcos_cap_v2',
  clip_sample: true,
  num_train_timesteps: 1000,
  prediction_type: 'v_prediction',
  set_alpha_to_one: true,
};

const file = (path: string, content: Uint8Array | object) => ({
  path,
  blob: new Blob([content instanceof Uint8Array ? new Uint8Array(content) : JSON.stringify(content)]),
});

/** The model's folder. */
export const tinyModel = (): Source => ({
  kind: 'files',
  name: 'tiny',
  files: [
    file('model_index.json', { _class_name: 'StableDiffusionPipeline' }),
    file('scheduler/scheduler_config.json', scheduler),
    file('tokenizer/tokenizer.json', tokenizer),
    file('tokenizer/tokenizer_config.json', { unk_token: '<unk>', pad_token: '<pad>' }),
    file('text_encoder/model.onnx', encodeModel(textEncoder())),
    file('unet/model.onnx', encodeModel(unet())),
    file('unet/config.json', { sample_size: SIDE, in_channels: 3 }),
  ],
});

/** Captioned pictures of two colours. */
export const tinyImages = (names: readonly string[] = ['anchor', 'bear', 'cloud']): Source => ({
  kind: 'files',
  name: 'pictures',
  files: names.map((name) => {
    const shades = random(2, name, 0).uniform(6);
    const rgba = Uint8ClampedArray.from({ length: 4 * SIDE * SIDE }, (_, i) =>
      i % 4 === 3 ? 255 : 255 * shades[(i % 4) + 3 * Number((i >> 2) % SIDE > 3)]!,
    );
    return file(`${name}.png`, encodePng({ width: SIDE, height: SIDE, rgba }));
  }),
});
