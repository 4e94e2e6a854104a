/** @file One's own chats on a phone: from the first screen to a model that answers as one of their speakers, within twelve taps; nothing of them is sent. */
import { madeChat, MADE_SPEAKER } from '#src/tasks/language/chats/testing/made.ts';
import { writers } from '#src/tasks/language/chats/testing/written.ts';
import { violations } from '../pages/axe.ts';
import { Person } from '../pages/person.ts';
import { expect, test } from '../pages/test.ts';

test.use({ viewport: { width: 390, height: 844 }, hasTouch: true });

test('an export of a chat becomes a model that answers as its speaker', async ({ rotune, page }) => {
  const person = new Person(page);
  const { path, text } = writers['whatsapp, android, german']!(madeChat(400));
  await rotune.open();
  await person.tap(rotune.beginWith('Texts or chats'));
  person.turn();
  await person.pick(page.getByLabel('Add files'), [
    { name: path, mimeType: 'text/plain', buffer: Buffer.from(text) },
  ]);
  const who = page.getByRole('radio', { name: new RegExp(`^${MADE_SPEAKER}`) });
  await expect(who).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('group', { name: 'Whose words are learned?' }).getByRole('radio')).toHaveCount(
    2,
  );
  await expect(page.getByText('Choose above whose words are learned.')).toBeVisible();
  await person.tap(who);
  await expect(page.getByText(/messages with .* words are a beginning/)).toBeVisible({ timeout: 60_000 });
  await page.getByText('A conversation, as it is learned').click();
  await expect(page.getByRole('list', { name: 'A conversation' })).toContainText('aye aye!');
  expect(await violations(page)).toEqual([]);
  await person.tap(page.getByRole('button', { name: /^Start/ }));
  await expect(page.getByRole('heading', { name: 'Talk with it' })).toBeVisible({ timeout: 150_000 });
  await person.type(page.getByLabel('Your message'), 'the small cat found a map.');
  await person.tap(page.getByRole('button', { name: 'Send' }));
  const talk = page.getByRole('list', { name: 'The talk' });
  await expect(talk.getByText(`Tuned, as ${MADE_SPEAKER}`)).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(`It imitates a person: ${MADE_SPEAKER}.`)).toBeVisible();
  expect(await violations(page)).toEqual([]);
  expect(person.taps).toBeLessThanOrEqual(12);
  test.info().annotations.push({ type: 'way', description: `${person.taps} taps, ${person.words} words` });
});
