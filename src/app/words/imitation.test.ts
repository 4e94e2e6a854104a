import { expect, it } from 'vitest';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import { imitationWords } from './imitation.ts';

const job = (options: object) => jobFromTable({ task: 'language', options });

it('says whom a model imitates', () => {
  expect(imitationWords(job({ speaker: 'Ben' }))).toBe(
    'It imitates a person: Ben. What it says, Ben never said; tell whoever talks with it.',
  );
});

it('says nothing where nobody’s words are learned', () => {
  expect(imitationWords(job({}))).toBeNull();
  expect(imitationWords(job({ speaker: 'Ben', exports: 'off' }))).toBeNull();
  expect(imitationWords(jobFromTable({ task: 'text-classification' }))).toBeNull();
});
