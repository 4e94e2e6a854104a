/** @file What is wrong with a field of a file that another program wrote, in words. */
import * as v from 'valibot';

const kinds: Readonly<Record<string, string>> = {
  Object: 'a table of fields',
  Array: 'a list',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  null: 'empty',
  undefined: 'nothing',
};

/** "a number", "zero or sigma_min", ">=0". */
const kindOf = (name: string): string =>
  name
    .replaceAll(/^\(|\)$/g, '')
    .split(' | ')
    .map((one) => kinds[one] ?? one)
    .join(' or ');

/** "sample_size is "x", but a number is expected", without a full stop. @param whole what it is called that has the fields */
export function fieldWords(issue: v.BaseIssue<unknown>, whole = 'the file'): string {
  const name = v.getDotPath(issue) ?? whole;
  if (issue.received === 'undefined') return `${name} is missing`;
  // A schema's own words say what a field must be.
  if (!issue.message.startsWith('Invalid ') || issue.expected === null)
    return `${name} ${issue.message.replace(/^Invalid /, 'has an invalid ')}`;
  return `${name} is ${kindOf(issue.received)}, but ${kindOf(issue.expected)} is expected`;
}
