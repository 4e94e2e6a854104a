/** @file Texts and model together: rows in a fixed order, perplexity on held-out texts, what the model writes. */
import { sha256Lines } from '#src/tasks/arrays/digest.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { EpochOrder, stratifiedSplit } from '#src/tasks/order.ts';
import type {
  Adapted,
  DataPreview,
  PreparedTask,
  Samples,
  TaskEvaluation,
  TaskHost,
  TaskJob,
  TaskProblem,
  Tell,
  Tensors,
  TrainedGraph,
} from '#src/tasks/types.ts';
import { ChatTemplate } from './chat.ts';
import { type Document, readDocuments } from './data.ts';
import { generate } from './generate.ts';
import type { LanguageOptions } from './info.ts';
import type { LanguageNetwork } from './network.ts';
import { marked, type Row, rowsOf } from './sequences.ts';
import { sampleProblems, tokenProblems } from '#src/tasks/text/problems.ts';
import type { TextTokens } from '#src/tasks/text/tokens.ts';

/** An opened language model. */
export interface LanguageModel {
  readonly job: TaskJob<LanguageOptions>;
  readonly network: LanguageNetwork;
  readonly tokens: TextTokens;
  /** Tokens of a row. */
  readonly length: number;
}

const SHOWN = 6;
/** Characters of a text in the preview. */
const LONG = 400;

/**
 * The model's own template.
 * @throws DataError where it cannot be read
 */
function templateOf(tokens: TextTokens): ChatTemplate {
  try {
    return new ChatTemplate(tokens.template, tokens.special);
  } catch (error) {
    throw new DataError(
      `The model's chat template cannot be read: ${error instanceof Error ? error.message : String(error)}. Repair chat_template in tokenizer_config.json, or remove it.`,
    );
  }
}

const textOf = ({ pieces }: Document): string => pieces.map((p) => p.text).join('');

export async function prepareTexts(
  model: LanguageModel,
  train: FileSet,
  heldout: FileSet | null,
  tell?: Tell,
): Promise<PreparedTask> {
  const { job, tokens, length, network } = model;
  const { options } = job;
  const chats = templateOf(tokens);
  const read = (files: FileSet) =>
    readDocuments(files, { column: options.column, chats, all: options.lossOn === 'all' });
  const own = await read(train);
  const other = heldout ? await read(heldout) : null;
  const problems: TaskProblem[] = [...own.problems, ...(other?.problems ?? [])];
  let [training, judged] = [own.documents, other?.documents ?? []];
  if (!heldout && job.data.split > 0) {
    const all = training;
    const split = stratifiedSplit([all.length], job.data.split, job.train.seed);
    [training, judged] = [split.train[0]!, split.heldout[0]!].map((part) => part.map((i) => all[i]!)) as [
      Document[],
      Document[],
    ];
  }
  problems.push(...repeated(training));
  const total = training.length + judged.length;
  let done = 0;
  const tokenise = (documents: readonly Document[]) =>
    documents.flatMap((document) => {
      tell?.(++done, total);
      try {
        return [marked(document, tokens)];
      } catch (error) {
        problems.push({
          severity: 'error',
          item: document.name,
          message: `${document.name}: ${(error as Error).message}`,
        });
        return [];
      }
    });
  const [before, after] = [tokenise(training), tokenise(judged)];
  problems.push(...sampleProblems(job.sample.prompts, (prompt) => prompted(model, chats, prompt)));
  const rows = rowsOf(before, length, options.packing, tokens.pad);
  const heldRows = rowsOf(after, length, options.packing, tokens.pad);
  const count = before.reduce((n, d) => n + d.ids.length, 0);
  const { graph, words: found } = network.scores(network.inputs.batch ?? 1, length);
  const all = [...before, ...after].map(({ ids }) => ids);
  problems.push(...tokenProblems(all, tokens, network.words(graph)));
  if (rows.length === 0 && !problems.some((p) => p.severity === 'error'))
    problems.push({
      severity: 'error',
      item: train.name,
      message: `${train.name} leaves nothing to learn: its texts have fewer than two tokens, or no answers.`,
    });
  const counted = rows.reduce((n, row) => n + row.counted.reduce((a, b) => a + b, 0), 0);
  const preview: DataPreview = {
    facts: [
      { label: 'Texts', value: `${training.length} to train, ${judged.length} held out` },
      { label: 'Tokens', value: `${count}, of which ${counted} are learned` },
      { label: 'Sequences', value: `${rows.length} of ${length} tokens` },
      { label: 'The loss takes', value: found },
      { label: 'Chat template', value: tokens.template === null ? 'none' : 'the model’s own' },
    ],
    items: training
      .slice(0, SHOWN)
      .map((document) => ({ name: document.name, text: textOf(document).slice(0, LONG) })),
  };
  const words = network.inputs;
  const lines = rows.map((row) => `${row.ids.join(' ')}|${row.counted.join('')}`);
  const dataHash = await sha256Lines([JSON.stringify([words.ids, length, options.lossOn]), ...lines]);
  return new PreparedTexts(model, rows, heldRows, training, {
    problems,
    preview,
    dataHash,
    counts: { train: training.length, heldout: judged.length },
  });
}

function repeated(documents: readonly Document[]): TaskProblem[] {
  const seen = new Map<string, string>();
  let twins = 0;
  let first: [string, string] | undefined;
  for (const document of documents) {
    const text = textOf(document);
    const before = seen.get(text);
    if (before === undefined) seen.set(text, document.name);
    else {
      twins++;
      first ??= [document.name, before];
    }
  }
  if (!first) return [];
  return [
    {
      severity: 'warning',
      item: first[0],
      message: `${twins === 1 ? `${first[0]} is the same text as ${first[1]}` : `${twins} texts are there more than once, such as ${first[0]}`}: ${twins === 1 ? 'it counts' : 'they count'} twice.`,
    },
  ];
}

class PreparedTexts implements PreparedTask {
  readonly problems: readonly TaskProblem[];
  readonly preview: DataPreview;
  readonly dataHash: string;
  readonly counts: PreparedTask['counts'];
  readonly #order: EpochOrder | null;
  #judging: ReturnType<LanguageNetwork['judging']> | undefined;
  #training: TrainedGraph | undefined;

  constructor(
    readonly model: LanguageModel,
    readonly rows: readonly Row[],
    readonly heldout: readonly Row[],
    readonly documents: readonly Document[],
    rest: Pick<PreparedTask, 'problems' | 'preview' | 'dataHash' | 'counts'>,
  ) {
    ({ problems: this.problems, preview: this.preview, dataHash: this.dataHash, counts: this.counts } = rest);
    this.#order = rows.length > 0 ? new EpochOrder(model.job.train.seed, rows.length) : null;
  }

  get guess(): number {
    return Math.log(this.model.network.words(this.training().graph));
  }

  training() {
    const { network, job, length } = this.model;
    return (this.#training ??= network.training(job.train.batch, length));
  }

  warm(): Promise<void> {
    return Promise.resolve();
  }

  feeds(step: number, micro: number): Tensors {
    const { job, network } = this.model;
    const { batch, accumulate } = job.train;
    if (!this.#order) throw new RangeError('There is no text to train on.');
    const first = (step * accumulate + micro) * batch;
    const rows = Array.from({ length: batch }, (_, i) => this.rows[this.#order!.at(first + i)]!);
    // Every learned token of the batch counts alike.
    const counted = rows.reduce((n, row) => n + row.counted.reduce((a, b) => a + b, 0), 0);
    return { ...network.feeds(this.training().graph, rows), ...network.answers(rows, 1 / counted) };
  }

  async evaluate(adapted: Adapted, _: TaskHost, tell: Tell): Promise<TaskEvaluation> {
    if (this.heldout.length === 0) return { loss: null, metrics: [] };
    const { job, network, length } = this.model;
    const { batch } = job.train;
    const { graph, output } = (this.#judging ??= network.judging(batch, length));
    const run = await adapted.run('language judge', `${batch}x${length}`, () => graph);
    let sum = 0;
    let count = 0;
    for (let start = 0; start < this.heldout.length; start += batch) {
      const some = this.heldout.slice(start, start + batch);
      // A last batch is filled up with rows that do not count.
      const filled = Array.from(
        { length: batch },
        (__, i) => some[i] ?? { ...some[0]!, counted: new Uint8Array(length) },
      );
      const out = await run({ ...network.feeds(graph, filled), ...network.answers(filled, 1) });
      sum += Number(out[output]![0]);
      count += some.reduce((n, row) => n + row.counted.reduce((a, b) => a + b, 0), 0);
      tell(Math.min(start + batch, this.heldout.length), this.heldout.length);
    }
    const loss = sum / Math.max(1, count);
    return {
      loss,
      metrics: [{ name: 'perplexity', value: Math.exp(loss), unit: 'number', better: 'lower' }],
    };
  }

  samples(adapted: Adapted, _: TaskHost, tell: Tell): Promise<Samples> {
    const { sample } = this.model.job;
    const prompts = sample.prompts.length > 0 ? sample.prompts : beginnings(this.documents);
    return answer(this.model, prompts, sample.seed, adapted, tell);
  }
}

/** The first words of the first few texts, where the job has no prompts. */
const beginnings = (documents: readonly Document[]): string[] =>
  documents.slice(0, 3).map((document) => textOf(document).split(/\s+/).slice(0, 4).join(' '));

/** Tokens to go on from. Throws where the tokenizer or the template does not take the prompt. */
function prompted({ tokens }: LanguageModel, chats: ChatTemplate, prompt: string): number[] {
  if (chats.own) return tokens.encode(chats.render([{ role: 'user', content: prompt }], true));
  const own = tokens.encode(prompt);
  const whole = tokens.start !== null && own[0] !== tokens.start ? [tokens.start, ...own] : own;
  return whole.length > 0 ? whole : [tokens.start ?? tokens.end ?? tokens.pad];
}

/** What the model writes after prompts; with a chat template, as an answer to them. */
export async function answer(
  model: LanguageModel,
  prompts: readonly string[],
  seed: number,
  adapted: Adapted,
  tell: Tell,
): Promise<Samples> {
  const { job, network, tokens, length } = model;
  const { temperature, topP, newTokens } = job.options;
  if (prompts.length === 0) return { prompts: [], pictures: [], texts: [] };
  const chats = templateOf(tokens);
  const ids = prompts.map((prompt) => prompted(model, chats, prompt));
  const texts = await generate(
    network,
    tokens,
    length,
    { prompts: ids, seed, temperature, topP, newTokens },
    adapted,
    tell,
  );
  return { prompts, pictures: [], texts };
}
