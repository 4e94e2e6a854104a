/** @file Values of a model's inputs as people write them: "sr=16000", "training=false", "size=224,224". */
import { FormatError } from '../errors.ts';
import type { InputValues } from '#src/onnx/givenInputs.ts';

const words: Readonly<Record<string, number>> = { true: 1, false: 0 };

/** One number, true or false, or several with commas between; null: something else. */
function numbersIn(text: string): number[] | null {
  const list = text.split(',').map((part) => {
    const word = part.trim().toLowerCase();
    return words[word] ?? (word === '' ? NaN : Number(word));
  });
  return list.every(Number.isFinite) ? list : null;
}

/**
 * Values by input name from NAME=VALUE texts; of two for one name the last counts.
 * @param problem makes the error of its words
 */
export function inputValues(texts: readonly string[], problem: (words: string) => Error): InputValues {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.lastIndexOf('=');
      const list = at > 0 ? numbersIn(text.slice(at + 1)) : null;
      if (!list)
        throw problem(
          `--set ${text}: write it as NAME=VALUE, with a number, true or false, or several numbers with commas between, such as sr=16000.`,
        );
      return [text.slice(0, at).trim(), list.length === 1 ? list[0]! : list];
    }),
  );
}

/** The values as one line, which {@link parseValues} reads back. */
export const printValues = (values: InputValues): string =>
  Object.entries(values)
    .map(([name, x]) => `${name}=${typeof x === 'number' ? x : x.join(',')}`)
    .join('; ');

/** Values from a line with semicolons between; a text that says what is wrong instead. */
export function parseValues(line: string): InputValues | string {
  const parts = line
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  try {
    return inputValues(parts, (words) => new FormatError(words.replace(/^--set /, '')));
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
}
