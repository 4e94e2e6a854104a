/** @file What the page and job files know of causal language models. */
import * as v from 'valibot';
import { choiceField, flagField, numberField, textField } from '#src/tasks/formFields.ts';
import type { Example, TaskInfo } from '#src/tasks/info.ts';
import { flag, oneOf, real, text, value, whole } from '#src/tasks/optionSchema.ts';
import { isFrame } from './frameText.ts';

export interface LanguageOptions {
  /** Tokens of a sequence; 0: as many as the model takes, the data need and the memory holds. */
  readonly length: number;
  /** answers: of chats and prompts with answers only what is to be answered is learned. */
  readonly lossOn: 'answers' | 'all';
  /** Short texts share a sequence, an end token between them; they are not hidden from one another (see sequences.ts). */
  readonly packing: boolean;
  /** Around prompts and answers: auto (the model's chat template, else none), none, or a text with {prompt} and {completion}. */
  readonly frame: string;
  /** Column or key that holds the text; '': found by the usual names. */
  readonly column: string;
  /** Exports of chats are told by what is in them, and learned from as conversations; off: they are texts as any others. */
  readonly exports: 'auto' | 'off';
  /** Whose turns in exports of chats are learned; '': not yet chosen. */
  readonly speaker: string;
  /** Hours of silence after which a conversation is another one. */
  readonly silenceHours: number;
  /** Placeholders stand for the names of the others. */
  readonly replaceNames: boolean;
  /** Placeholders stand for numbers of phones and accounts, addresses and links. */
  readonly replaceContacts: boolean;
  /** 0: always the likeliest token. */
  readonly temperature: number;
  /** Tokens are drawn from the likeliest ones that have this share together. */
  readonly topP: number;
  readonly newTokens: number;
}

export const languageDefaults: LanguageOptions = {
  length: 0,
  lossOn: 'answers',
  packing: true,
  frame: 'auto',
  column: '',
  exports: 'auto',
  speaker: '',
  silenceHours: 6,
  replaceNames: false,
  replaceContacts: true,
  temperature: 0,
  topP: 1,
  newTokens: 32,
};

/** What is measured fits both examples. @param data built-in set */
const exampleJob = (data: string): Example['job'] => ({
  task: 'language',
  model: 'builtin:stories',
  data: { train: `builtin:${data}/train`, heldout: `builtin:${data}/heldout` },
  train: { steps: 60, batch: 8, learning_rate: 0.01, schedule: 'cosine' },
  sample: { every: 20, prompts: ['the small cat', 'a robot'] },
  options: { length: 32, new_tokens: 12 },
});

export const info: TaskInfo = {
  id: 'language',
  rank: 4,
  title: 'Write text',
  summary: 'Teaches a language model your texts, or to answer as your chats do.',
  wants:
    'Texts (.txt), a table (.csv, .tsv) with a column text, or .jsonl with text, with prompt and completion, or with messages of a chat. Exports of chats (WhatsApp, Telegram, Discord, Signal), mails (.mbox) and diaries are taken as they are. The model’s folder holds its tokenizer.json.',
  entries: {
    length: v.optional(whole(0, 8192)),
    loss_on: v.optional(oneOf(['answers', 'all'])),
    packing: v.optional(flag),
    frame: v.optional(
      value<string>('"auto", "none", or a text with {prompt} and, after it, {completion}', isFrame, {
        type: 'string',
        maxLength: 2000,
        pattern: '^(auto|none)$|\\{prompt\\}',
      }),
    ),
    column: v.optional(text(200)),
    exports: v.optional(oneOf(['auto', 'off'])),
    speaker: v.optional(text(200)),
    silence_hours: v.optional(real('a number above 0 to 8760', (x) => x > 0 && x <= 8760)),
    replace_names: v.optional(flag),
    replace_contacts: v.optional(flag),
    temperature: v.optional(real('a number from 0 to 5', (x) => x >= 0 && x <= 5)),
    top_p: v.optional(real('a number above 0 to 1', (x) => x > 0 && x <= 1)),
    new_tokens: v.optional(whole(1, 4096)),
  },
  defaults: { ...languageDefaults },
  fields: [
    numberField(
      'length',
      'Tokens of a sequence',
      { min: 0, max: 8192, step: 16 },
      '0: as many as the model takes, as far as they are needed and fit the memory.',
    ),
    choiceField(
      'lossOn',
      'Learn',
      {
        answers: 'The answers of chats; all of plain texts',
        all: 'Everything, questions too',
      },
      'The loss takes the scores of the next token; a Softmax at the model’s end is left out in training.',
    ),
    flagField(
      'packing',
      'Put short texts together',
      'Several texts share a sequence: fewer steps for the same data. A text sees those before it in its sequence.',
    ),
    textField(
      'frame',
      'Frame of prompts and answers',
      'auto: the model’s chat template, else none. none: prompt and completion are one text. Or your own, \\n a line break: Q: {prompt}\\nA: {completion}\\n. Samples are asked alike.',
    ),
    textField('column', 'Column of the text', 'Empty: found by the usual names.'),
    choiceField(
      'exports',
      'Exports of chats',
      { auto: 'Learned from as conversations', off: 'Texts as any others' },
      'WhatsApp, Telegram, Discord, Signal, mails and dated notes are told by what is in the file.',
    ),
    textField('speaker', 'Whose words are learned', 'Of an export of chats: the name as it stands there.'),
    numberField(
      'silenceHours',
      'Hours of silence that end a conversation',
      { min: 0.5, max: 8760, step: 0.5 },
      'What is said after it answers nothing that was said before.',
    ),
    flagField(
      'replaceNames',
      'Replace other people’s names',
      'In exports of chats: [name 1] stands for the first of the others, and so on, wherever the name is said.',
    ),
    flagField(
      'replaceContacts',
      'Replace numbers and addresses',
      'In exports of chats: numbers of phones and accounts, e-mail and postal addresses, and links become placeholders.',
    ),
    numberField(
      'temperature',
      'Temperature of the samples',
      { min: 0, max: 5, step: 0.1 },
      '0: always the likeliest word.',
    ),
    numberField(
      'topP',
      'Top p of the samples',
      { min: 0.05, max: 1, step: 0.05 },
      'Words are drawn from the likeliest that have this share together.',
    ),
    numberField('newTokens', 'Tokens of a sample', { min: 1, max: 4096, step: 8 }),
  ],
  shows: 'texts',
  asks: ['texts'],
  prompts: true,
  usual: { train: { steps: 200, batch: 4 } },
  examples: [
    {
      id: 'pirate-stories',
      title: 'Pirate stories',
      words: 'A model that tells short stories learns to tell them as pirates do.',
      job: exampleJob('pirate-stories'),
    },
    {
      id: 'echoes',
      title: 'Stories with an echo',
      words: 'A model that tells short stories learns to say its last words again.',
      job: exampleJob('echoes'),
    },
  ],
};
