/** @file What a model of text needs beside it. */
import type { Beside } from './beside.ts';
import type { Guess } from './types.ts';

/** The tokenizer, where it is not among the files. */
export const noTokenizer = ({ tokenizer }: Beside): Pick<Guess, 'lacks'> =>
  tokenizer
    ? {}
    : {
        lacks:
          'Its tokenizer is not here: open the whole folder, or the model together with its tokenizer.json.',
      };
