/** @file `?debug` and an error's report on the built page, with the real worker. */
import { expect, test } from '../pages/test.ts';

test('the debug view tells graph, time and memory of a run, the WebAssembly heap measured', async ({
  page,
}) => {
  await page.goto('./?debug');
  await expect(page.getByText(/Nothing was made ready yet/)).toBeVisible();
  const outcome = await page.evaluate(async () => {
    const result = await globalThis.rotune?.run({
      backend: 'wasm',
      job: 'task = "generic"\n[train]\nsteps = 3',
    });
    return result?.ok ? result.value.outcome : result?.problem.message;
  });
  expect(outcome).toBe('finished');
  const memory = page.getByRole('region', { name: 'Estimated and measured' });
  await expect(memory.getByRole('row', { name: /WebAssembly heap – [\d.]+ [MG]B/ })).toBeVisible();
  await expect(
    page.getByRole('region', { name: 'Stages' }).getByRole('row', { name: /^step \d/ }),
  ).toBeVisible();
  await expect(page.getByRole('region', { name: 'Where it went' })).toContainText('compile');
});

test('an error report has the versions of the build and the job', async ({ page }) => {
  await page.goto('./');
  const text = await page.evaluate(() =>
    globalThis.rotune?.report({ code: 'internal', message: 'It broke.', detail: 'at step' }),
  );
  expect(text).toMatch(/^Rotune: \d+\.\d+\.\d+/m);
  expect(text).toMatch(/^onnxruntime-web: \d+\.\d+\.\d+/m);
  expect(text).toMatch(/^cross-origin isolated: yes$/m);
  expect(text).toMatch(/^prompts = \[ "\(8 left out\)" \]$/m);
});
