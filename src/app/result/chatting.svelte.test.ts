import { expect, it } from 'vitest';
import type { Trainer } from '../worker/client.ts';
import { Chatting } from './chatting.svelte.ts';

it('keeps the talk, with both answers to each message', async () => {
  const ask: Trainer['ask'] = ({ texts, strengths }) =>
    Promise.resolve({
      ok: true,
      value: strengths.map((strength) => ({
        strength,
        items: [{ name: texts?.[0] ?? '', text: ` ${strength}: ${texts?.[0]}` }],
      })),
    });
  const chat = new Chatting({ ask });
  await chat.say('hi');
  await chat.say('well?');
  expect(chat.exchanges).toEqual([
    { asked: 'hi', before: '0: hi', after: '1: hi' },
    { asked: 'well?', before: '0: well?', after: '1: well?' },
  ]);
});

it('takes back what could not be answered, and says why', async () => {
  const problem = { code: 'bad-data', message: 'No.', cure: 'Other.' } as const;
  const chat = new Chatting({ ask: () => Promise.resolve({ ok: false, problem }) });
  await chat.say('hi');
  expect(chat.exchanges).toEqual([]);
  expect(chat.problem).toEqual(problem);
  expect(chat.busy).toBe(false);
});
