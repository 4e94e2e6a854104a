/** @file Whatever is refused, in a field or where something was opened, there is a report to copy. */
import { afterEach, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import { open, openAdvanced, violations } from '../testing/open.ts';

afterEach(() => vi.restoreAllMocks());

/** The text of the report that is offered with the alert. */
async function reported(): Promise<string> {
  await page.getByText('What the report says').click();
  const report = page.getByRole('region', { name: 'Error report' });
  await expect.element(report).toHaveTextContent(/what happened: /);
  return report.element().textContent;
}

/** Data of one's own, about to be made. */
async function making() {
  const { lab } = await open({}, jobFromTable({ task: 'diffusion' }));
  lab.go('new');
  await page.getByRole('button', { name: 'Make your own' }).click();
}

it('a camera that may not be used', async () => {
  const no = new DOMException('no', 'NotAllowedError');
  vi.spyOn(navigator.mediaDevices, 'getUserMedia').mockRejectedValue(no);
  await making();
  await page.getByRole('button', { name: 'Camera' }).click();
  await expect.element(page.getByRole('alert')).toHaveTextContent('This page may not use the camera.');
  expect(await reported()).toContain('This page may not use the camera.');
  expect(await violations()).toEqual([]);
});

it('a clipboard that may not be read, where data are made', async () => {
  vi.spyOn(navigator.clipboard, 'read').mockRejectedValue(new DOMException('no', 'NotAllowedError'));
  await making();
  await page.getByRole('button', { name: /paste/i }).first().click();
  await expect.element(page.getByRole('alert')).toHaveTextContent(/clipboard/);
  expect(await reported()).toContain('clipboard');
  expect(await violations()).toEqual([]);
});

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
