/** @file Texts and model together: rows in a fixed order, perplexity on held-out texts, what the model writes. */
import { Breath } from '#src/platform/breath.ts';
import { sha256Lines } from '#src/tasks/arrays/digest.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { splitShare } from '#src/tasks/order.ts';
import { type Found, inBatches, PreparedExamples } from '#src/tasks/prepared.ts';
import { tableOf } from '#src/tasks/picked.ts';
import { nothingLeft } from '#src/tasks/problems.ts';
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
import { ChatTemplate, templateReason } from './chat.ts';
import type { VoiceOptions } from './chats/training.ts';
import type { Document } from './types.ts';
import { readDocuments } from './data.ts';
import { type FrameKind, frameWords, Framing, usualKind } from './frame.ts';
import { generate } from './generate.ts';
import type { LanguageOptions } from './info.ts';
import type { LanguageNetwork } from './network.ts';
import { type Marked, marked, type Row, rowsOf } from './sequences.ts';
import { type Parted, partedProblems } from './windows.ts';
import { lengthThatFits, type ReadingLength, roundedLength } from '#src/tasks/text/length.ts';
import { eachText, sampleProblems, tokenProblems } from '#src/tasks/text/problems.ts';
import type { TextTokens } from '#src/tasks/text/tokens.ts';

/** An opened language model. */
export interface LanguageModel {
  readonly job: TaskJob<LanguageOptions>;
  readonly network: LanguageNetwork;
  readonly tokens: TextTokens;
  readonly length: ReadingLength;
  /** How the data ask that were looked at last; null: none were. */
  asking: Asking | null;
}

/** How samples are asked, so that they are what was learned. */
export interface Asking {
  /** null: prompts are beginnings of texts. */
  readonly frame: FrameKind | null;
  /** Ends of questions, as tokens, for which others stand where an answer follows. */
  readonly joined: readonly (readonly number[])[];
}

const SHOWN = 6;
/** Characters of a text in the preview. */
const LONG = 400;

/**
 * What the job wants around prompts and answers, and the model's own template.
 * @throws DataError where that cannot be read
 */
function framingOf({ tokens, job }: Pick<LanguageModel, 'tokens' | 'job'>): Framing {
  try {
    return new Framing(new ChatTemplate(tokens.template, tokens.special), job.options.frame);
  } catch (error) {
    throw new DataError(
      `The model's chat template cannot be read: ${templateReason(error)}. Repair chat_template in tokenizer_config.json, or remove it.`,
    );
  }
}

/** How exports of chats are learned from; undefined: as texts. */
const voiceIn = ({ exports, speaker, silenceHours, ...o }: LanguageOptions): VoiceOptions | undefined =>
  exports === 'off'
    ? undefined
    : { speaker, silenceHours, replace: { names: o.replaceNames, contacts: o.replaceContacts } };

const textOf = ({ pieces }: Document): string => pieces.map((p) => p.text).join('');

export async function prepareTexts(
  model: LanguageModel,
  train: FileSet,
  heldout: FileSet | null,
  host: TaskHost,
  tell?: Tell,
): Promise<PreparedTask> {
  const { job, tokens, network } = model;
  const { options } = job;
  const framing = framingOf(model);
  const everything = options.lossOn === 'all';
  const read = (files: FileSet) =>
    readDocuments(files, { column: options.column, framing, all: everything, voice: voiceIn(options) }, tell);
  const own = await read(train);
  const other = heldout ? await read(heldout) : null;
  const problems: TaskProblem[] = [...own.problems, ...(other?.problems ?? [])];
  let [training, judged] = [own.documents, other?.documents ?? []];
  if (!heldout && job.data.split > 0)
    ({ train: training, heldout: judged } = splitShare(training, job.data.split, job.train.seed));
  const total = training.length + judged.length;
  let done = 0;
  /** Between what takes a while for a book, or for many texts. */
  const breath = new Breath(() => tell?.(done, Math.max(1, total)));
  problems.push(...(await repeated(training, breath)));
  const tokenise = (documents: readonly Document[]) =>
    eachText(
      documents,
      async (document, between) => {
        return { ...(await marked(document, tokens, everything, between)), name: document.name };
      },
      problems,
      (made) => tell?.((done += made), total),
    );
  const before = await tokenise(training);
  const after = await tokenise(judged);
  await breath.take();
  const length = rowLength(model, [...before, ...after], host);
  const asking: Asking = {
    frame: usualKind(training.map((d) => d.frame)),
    joined: [...new Map(before.map(({ joined }) => [joined.join(), joined])).values()].filter(
      (ids) => ids.length > 0,
    ),
  };
  model.asking = asking;
  problems.push(
    ...(await sampleProblems(job.sample.prompts, (prompt) => prompted(model, framing, prompt, asking))),
    ...longPrompts(model, framing, asking),
  );
  const made = await rowsOf(before, length, options.packing, tokens.pad, breath);
  const judging = await rowsOf(after, length, options.packing, tokens.pad, breath);
  const { rows } = made;
  const named = [...before, ...after];
  problems.push(
    ...partedProblems(
      [...made.parted, ...judging.parted].flatMap((part: Parted | null, i) =>
        part ? [{ ...part, name: named[i]!.name }] : [],
      ),
      length,
    ),
  );
  const count = before.reduce((n, d) => n + d.ids.length, 0);
  const { graph, words: found } = network.scores(network.inputs.batch ?? 1, length);
  const all = [...before, ...after].map(({ ids }) => ids);
  problems.push(
    ...(await tokenProblems(
      all,
      tokens,
      Math.min(network.words(graph), tableOf(graph, network.inputs.ids)?.rows ?? Infinity),
      breath,
    )),
  );
  const nothing = 'nothing to learn: its texts have fewer than two tokens, or no answers.';
  const cure = 'Add longer texts, or learn all of them, not the answers alone.';
  problems.push(...nothingLeft(rows, problems, train.name, nothing, cure));
  let counted = 0;
  await breath.each(rows, (row) => {
    for (const c of row.counted) counted += c;
  });
  const preview: DataPreview = {
    facts: [
      { label: 'Texts', value: `${training.length} to train, ${judged.length} held out` },
      { label: 'Tokens', value: `${count}, of which ${counted} are learned` },
      { label: 'Sequences', value: `${rows.length} of ${length} tokens` },
      { label: 'The loss takes', value: found },
      {
        label: 'Frame',
        value: frameWords(
          training.map((d) => d.frame),
          options.frame,
        ),
      },
    ],
    items: training
      .slice(0, SHOWN)
      .map((document) => ({ name: document.name, text: textOf(document).slice(0, LONG) })),
    ...(own.chats && { chats: own.chats }),
  };
  const words = network.inputs;
  const dataHash = await sha256Lines(
    linesOf(JSON.stringify([words.ids, length, options.lossOn]), rows),
    breath,
  );
  return new PreparedTexts(model, length, rows, judging.rows, training, asking, {
    problems,
    preview,
    dataHash,
    counts: { train: training.length, heldout: judged.length },
  });
}

/** All that the data hash is of. */
function* linesOf(first: string, rows: readonly Row[]): Generator<string, void, undefined> {
  yield first;
  for (const row of rows) yield `${row.ids.join(' ')}|${row.counted.join('')}`;
}

async function repeated(documents: readonly Document[], breath: Breath): Promise<TaskProblem[]> {
  const seen = new Map<string, string>();
  let twins = 0;
  let first: [string, string] | undefined;
  await breath.each(documents, (document) => {
    const text = textOf(document);
    const before = seen.get(text);
    if (before === undefined) seen.set(text, document.name);
    else {
      twins++;
      first ??= [document.name, before];
    }
  });
  if (!first) return [];
  return [
    {
      severity: 'warning',
      item: first[0],
      message: `${twins === 1 ? `${first[0]} is the same text as ${first[1]}` : `${twins} texts are there more than once, such as ${first[0]}`}: ${twins === 1 ? 'it counts' : 'they count'} twice.`,
    },
  ];
}

class PreparedTexts extends PreparedExamples<Row> {
  #judging: ReturnType<LanguageNetwork['judging']> | undefined;
  #training: TrainedGraph | undefined;

  constructor(
    readonly model: LanguageModel,
    readonly length: number,
    rows: readonly Row[],
    heldout: readonly Row[],
    readonly documents: readonly Document[],
    readonly asking: Asking,
    found: Found,
  ) {
    super(rows, heldout, model.job.train, found);
  }

  get guess(): number {
    return Math.log(this.model.network.words(this.training().graph));
  }

  training() {
    const { network, job } = this.model;
    return (this.#training ??= network.training(job.train.batch, this.length));
  }

  feeds(step: number, micro: number): Tensors {
    const { network } = this.model;
    const { chosen: rows } = this.turn(step, micro, 'text', 'file or folder');
    return { ...network.feeds(this.training().graph, rows), ...network.answers(rows) };
  }

  protected async judge(adapted: Adapted, tell: Tell): Promise<TaskEvaluation> {
    const { length } = this;
    const { job, network } = this.model;
    const { batch } = job.train;
    const { graph, output } = (this.#judging ??= network.judging(batch, length));
    const run = await adapted.run('language judge', graph);
    let sum = 0;
    let count = 0;
    for (const { some } of inBatches(this.heldout, batch, tell)) {
      // A last batch is filled up with rows that do not count.
      const filled = Array.from(
        { length: batch },
        (__, i) => some[i] ?? { ...some[0]!, counted: new Uint8Array(length) },
      );
      const out = await run({ ...network.feeds(graph, filled), ...network.answers(filled) });
      sum += Number(out[output]![0]);
      count += some.reduce((n, row) => n + row.counted.reduce((a, b) => a + b, 0), 0);
    }
    const loss = sum / count;
    return {
      loss,
      metrics: [{ name: 'perplexity', value: Math.exp(loss), unit: 'number', better: 'lower' }],
    };
  }

  samples(adapted: Adapted, _: TaskHost, tell: Tell): Promise<Samples> {
    const { sample } = this.model.job;
    const prompts = sample.prompts.length > 0 ? sample.prompts : beginnings(this.documents);
    return answer(this.model, prompts, sample.seed, adapted, tell, this.asking);
  }
}

/** Where the job has no prompts: the first few questions, or the first words of texts without. */
const beginnings = (documents: readonly Document[]): string[] => {
  const asked = usualKind(documents.map((d) => d.frame)) !== null;
  return documents
    .filter((d) => !asked || d.question !== null)
    .slice(0, 3)
    .map((d) => (asked ? d.question! : textOf(d).split(/\s+/).slice(0, 4).join(' ')));
};

/** Tokens of a row: what was asked for, else as many as the data need, the model takes and the memory holds. */
function rowLength(model: LanguageModel, texts: readonly Marked[], host: TaskHost): number {
  const { length, network, job } = model;
  if (length.exact) return length.most;
  const needed = job.options.packing
    ? texts.reduce((n, { ids }) => n + ids.length, 0)
    : texts.reduce((n, { ids }) => Math.max(n, ids.length), 0);
  const batch = network.inputs.batch ?? job.train.batch;
  return lengthThatFits(roundedLength(needed, length.most), host, (tokens) => network.graph(batch, tokens));
}

/** How prompts are asked where no data were looked at: by the job's frame, or the model's own. */
const usualAsking = (framing: Framing, { speaker }: LanguageOptions): Asking => {
  const kind = speaker === '' ? framing.kindOf(true) : framing.kindOfSaid;
  return { frame: kind === 'joined' ? null : kind, joined: [] };
};

/** Tokens to go on from. Throws where the tokenizer or the template does not take the prompt. */
function prompted({ tokens }: LanguageModel, framing: Framing, prompt: string, { frame }: Asking): number[] {
  const own = tokens.encode(framing.ask(prompt, frame));
  if (frame === 'template') return own;
  const whole = tokens.start !== null && own[0] !== tokens.start ? [tokens.start, ...own] : own;
  return whole.length > 0 ? whole : [tokens.start ?? tokens.end ?? tokens.pad];
}

/** Samples of which the model sees the end only. */
function longPrompts(model: LanguageModel, framing: Framing, asking: Asking): TaskProblem[] {
  const { most } = model.length;
  const long = model.job.sample.prompts.filter((prompt) => {
    try {
      return prompted(model, framing, prompt, asking).length > most;
    } catch {
      return false;
    }
  });
  if (long.length === 0) return [];
  const [first] = long as [string];
  return [
    {
      severity: 'warning',
      item: first,
      message: `${long.length === 1 ? 'A sample has' : `${long.length} samples have`} more than ${most} tokens: the model sees the last ${most} of “${first.slice(0, 40)}…”.`,
    },
  ];
}

/** What the model writes after prompts; with a frame, as an answer to them. @param asked as the data ask; null: there were none */
export async function answer(
  model: LanguageModel,
  prompts: readonly string[],
  seed: number,
  adapted: Adapted,
  tell: Tell,
  asked: Asking | null = model.asking,
): Promise<Samples> {
  const { job, network, tokens, length } = model;
  const { temperature, topP, newTokens } = job.options;
  if (prompts.length === 0) return { prompts: [], pictures: [], texts: [] };
  const framing = framingOf(model);
  const asking = asked ?? usualAsking(framing, job.options);
  const { joined } = asking;
  const whole = prompts.map((prompt) => prompted(model, framing, prompt, asking));
  const kept = whole.map((ids) => {
    const ends = joined.filter((end) => end.every((id, i) => ids[ids.length - end.length + i] === id));
    // Something is to be left to go on from.
    return Math.max(1, ids.length - ends.reduce((n, end) => Math.max(n, end.length), 0));
  });
  const window = length.exact
    ? length.most
    : roundedLength(whole.reduce((n, ids) => Math.max(n, ids.length), 0) + newTokens, length.most);
  const texts = await generate(
    network,
    tokens,
    window,
    {
      prompts: whole.map((ids, i) => ids.slice(0, kept[i])),
      again: whole.map((ids, i) => ids.slice(kept[i])),
      seed,
      temperature,
      topP,
      newTokens,
    },
    adapted,
    tell,
  );
  return { prompts, pictures: [], texts };
}
