/** @file Whatever is refused, in a field or where something was opened, there is a report to copy. */
import { expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { open, openAdvanced, violations } from '../testing/open.ts';

it('what is typed into a field and refused', async () => {
  const { lab } = await open();
  await lab.wakeUp();
  lab.go('new');
  await openAdvanced();
  const write = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
  const steps = page.getByRole('spinbutton', { name: 'Steps', exact: true });
  await steps.fill('-3');
  await userEvent.keyboard('{Tab}');
  await expect.element(steps).toHaveAccessibleDescription(/From 1 to/);
  await page.getByRole('button', { name: 'Copy the report' }).click();
  await expect.element(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  expect(write.mock.calls[0]?.[0]).toContain('Steps: From 1 to');
  expect(await violations()).toEqual([]);
  await steps.fill('12');
  await userEvent.keyboard('{Tab}');
  await expect.element(page.getByRole('button', { name: /^Cop/ })).not.toBeInTheDocument();
  write.mockRestore();
});

it('a drop in which there is no model', async () => {
  const { lab } = await open();
  lab.go('model');
  await expect.element(page.getByRole('heading', { level: 1 })).toBeVisible();
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(['x'], 'notes.txt'));
  document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  await expect.element(page.getByText(/There was no ONNX model/).first()).toBeVisible();
  await page.getByText('What the report says').click();
  await expect
    .element(page.getByRole('region', { name: 'Error report' }))
    .toHaveTextContent(/There was no ONNX model/);
  expect(await violations()).toEqual([]);
});
