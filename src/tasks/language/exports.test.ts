/** @file Exports among the data: whose turns are learned, where conversations end, and what is said where that is not known. */
import { describe, expect, it } from 'vitest';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { ChatTemplate } from './chat.ts';
import { voiceOf, type VoiceOptions } from './chats/training.ts';
import { exportsIn, readExports } from './chats/read.ts';
import { readDocuments } from './data.ts';
import { Framing } from './frame.ts';

const template =
  "{% for m in messages %}{{ '<' + m.role + '>' + m.content + '</' + m.role + '>' }}{% endfor %}{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}";
const chat = [
  '12.05.23, 08:00 - Nachrichten sind verschlüsselt.',
  '12.05.23, 08:00 - Anna: Guten Morgen',
  '12.05.23, 08:01 - Ben: moin',
  '12.05.23, 08:01 - Ben: alles klar?',
  '12.05.23, 08:02 - Anna: <Medien ausgeschlossen>',
  '12.05.23, 08:03 - Anna: Ja, 0170 1234567',
  '12.05.23, 08:04 - Ben: gut',
  '12.05.23, 08:05 - Anna: Bis bald',
  '13.05.23, 08:00 - Ben: heute?',
  '13.05.23, 08:01 - Anna: Ben, ja',
  '13.05.23, 08:01 - Zoë: ich auch',
  '13.05.23, 08:02 - Ben: top',
  '20.05.23, 08:02 - Anna: Hallo?',
].join('\n');
const voice: VoiceOptions = { speaker: 'Ben', silenceHours: 6, replace: { names: false, contacts: true } };

const read = (
  files: Record<string, string>,
  options: Partial<VoiceOptions> | null,
  own: string | null = null,
  frame = 'auto',
) =>
  readDocuments(memoryFiles(files), {
    column: '',
    framing: new Framing(new ChatTemplate(own), frame),
    voice: options ? { ...voice, ...options } : undefined,
  });
const marked = ({ documents }: Awaited<ReturnType<typeof read>>) =>
  documents.map(({ pieces }) => pieces.map(({ text, counted }) => (counted ? `[${text}]` : text)).join(''));

describe('what is learned', () => {
  it('with a template: conversations as wholes', async () => {
    const found = await read({ 'a.txt': chat }, {}, template);
    expect(found.problems).toEqual([]);
    expect(marked(found)).toEqual([
      '<user>Guten Morgen</user><assistant>[moin\nalles klar?</assistant>]<user>Ja, [phone 1]</user><assistant>[gut</assistant>]',
      '<user></user><assistant>[heute?</assistant>]<user>Anna: Ben, ja\nZoë: ich auch</user><assistant>[top</assistant>]',
    ]);
    expect(found.chats).toMatchObject({
      formats: ['WhatsApp'],
      speaker: 'Ben',
      left: { media: 1, system: 1, forwarded: 0, others: 1, old: 0 },
      conversations: 2,
      replaced: { phone: 1, name: 0 },
      verdict: { level: 'little' },
    });
    expect(found.chats!.speakers.map(({ name, turns }) => [name, turns])).toEqual([
      ['Anna', 5],
      ['Ben', 5],
      ['Zoë', 1],
    ]);
  });

  it('without one: by question and answer', async () => {
    const found = await read({ 'a.txt': chat }, { replace: { names: true, contacts: false } });
    expect(marked(found)).toEqual([
      'Guten Morgen\n[moin\nalles klar?]',
      'Ja, 0170 1234567\n[gut]',
      '\n[heute?]',
      '[name 1]: Ben, ja\n[name 2]: ich auch\n[top]',
    ]);
    expect(found.documents.map(({ name }) => name)[1]).toBe('a.txt, conversation 1, answer 2');
  });

  it('in the job’s own frame', async () => {
    const found = await read({ 'a.txt': chat }, {}, template, 'Q: {prompt} A: {completion};');
    expect(marked(found)[0]).toBe('Q: Guten Morgen A: [moin\nalles klar?;]Q: Ja, [phone 1] A: [gut;]');
  });

  it('as one conversation where silences are allowed', async () => {
    const found = await read({ 'a.txt': chat }, { silenceHours: 48 }, template);
    expect(found.documents).toHaveLength(1);
  });

  it('notes are learned whole, whoever speaks elsewhere', async () => {
    const notes = '# 12.05.2023\nEin Tag.\n\n# 13.05.2023\nNoch einer.\n# 14.05.2023\nUnd einer.';
    const found = await read({ 'diary.md': notes }, { speaker: '' }, template);
    expect(marked(found)).toEqual(['[Ein Tag.]', '[Noch einer.]', '[Und einer.]']);
    expect(found.problems).toEqual([]);
    expect(found.documents[0]!.name).toBe('diary.md, 2023-05-12');
  });

  it('as texts, where the job says so', async () => {
    const found = await read({ 'a.txt': chat }, null, template);
    expect(found.documents).toHaveLength(1);
    expect(found.chats).toBeNull();
  });

  it('the newest, where there is more than fits', async () => {
    const files = memoryFiles({ 'a.txt': chat });
    const exports = await readExports(files, await exportsIn(files), []);
    const { chats, summary } = await voiceOf(exports, voice, undefined, 40);
    expect(chats.map(({ name }) => name)).toEqual(['a.txt, conversation 2']);
    expect(summary.left.old).toBe(1);
  });
});

describe('whose turns', () => {
  it('nobody’s: all are named, and the summary is there', async () => {
    const { problems, chats, documents } = await read({ 'a.txt': chat }, { speaker: '' });
    expect(documents).toEqual([]);
    expect(problems).toMatchObject([
      {
        severity: 'error',
        message:
          'a.txt: whose words are to be learned is not said. These speak in it, with their messages: Anna (5), Ben (5), Zoë (1).',
        cure: 'Choose one of them; in a job file: speaker = "Anna".',
        group: { kind: 'no-speaker', items: ['Anna', 'Ben', 'Zoë'] },
      },
    ]);
    expect(chats).toMatchObject({ speaker: '', verdict: null });
  });

  it('somebody’s who is not there', async () => {
    const { problems } = await read({ 'a.txt': chat }, { speaker: 'Carl' });
    expect(problems[0]!.message).toMatch(/^a\.txt: nobody in it is called “Carl”\. These speak in it/);
  });

  it('case and spaces do not matter', async () => {
    expect((await read({ 'a.txt': chat }, { speaker: ' ben ' })).chats?.speaker).toBe('Ben');
  });
});

it('an export that is cut short is named, with what came before kept out', async () => {
  const whole = JSON.stringify({
    name: 'A',
    messages: [{ type: 'message', date: '2023-05-12T08:00:00', from: 'Ben', text: 'hi' }],
  });
  const { problems } = await read({ 'result.json': whole.slice(0, -2) }, {});
  expect(problems[0]!.message).toBe(
    'result.json: it ends in the middle: it is no whole JSON. Export it anew.',
  );
});
