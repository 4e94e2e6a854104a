/** @file Every screen with a trainer that needs no worker: what can be pressed, by keyboard too, and what axe has to say. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { degrees } from '#src/app/run/heat.ts';
import { toSource } from '#src/app/data/picked.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import type { FakeOptions } from '#src/app/testing/fakeTrainer.ts';
import { fakeSummary } from '#src/app/testing/fakeLibrary.ts';
import { open as openPage, openAdvanced, violations } from './testing/open.ts';

const job = { ...fakeJob, train: { ...fakeJob.train, steps: 8 }, sample: { ...fakeJob.sample, every: 2 } };

async function open(options: FakeOptions = {}) {
  const opened = await openPage(options, job);
  await opened.lab.wakeUp();
  return opened;
}

afterEach(() => vi.restoreAllMocks());

describe('a problem', () => {
  it('can be copied whole as a report', async () => {
    const copy = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
    const { lab } = await open({ failAt: 3 });
    await page.getByRole('button', { name: /Teach it this style/ }).click();
    await page.getByRole('button', { name: 'Copy the report' }).click();
    await expect.element(page.getByRole('button', { name: 'Copied' })).toBeVisible();
    const [text = ''] = copy.mock.calls[0] ?? [];
    expect(text).toContain('what happened: The graphics driver restarted.');
    expect(text).toContain('run failed, step 2 of 8');
    expect(text).toContain('step 2: loss');
    expect(text).toContain('GPUDevice lost');
    for (const prompt of lab.draft.job.sample.prompts) expect(text).not.toContain(prompt);
    await page.getByText('What the report says').click();
    await expect.element(page.getByRole('region', { name: 'Error report' })).toBeVisible();
    expect(await violations()).toEqual([]);
  });

  it('lies there selected where the browser does not copy', async () => {
    vi.spyOn(navigator.clipboard, 'writeText').mockRejectedValue(new Error('no'));
    await open({ failAt: 1 });
    await page.getByRole('button', { name: /Teach it this style/ }).click();
    await page.getByRole('button', { name: 'Copy the report' }).click();
    await expect.element(page.getByRole('button', { name: 'Selected below: copy it' })).toBeVisible();
    expect(getSelection()?.toString()).toContain('Rotune error report');
  });
});

describe('home', () => {
  it('teaches the demo at one press and ends at the result', async () => {
    const { lab } = await open();
    await page.getByRole('button', { name: /Teach it this style/ }).click();
    await expect.element(page.getByRole('heading', { name: /^Held-out loss fell by/ })).toBeVisible();
    expect(lab.run.status).toBe('done');
    expect(await violations()).toEqual([]);
  });

  it('lists an unfinished run, takes it out and puts it back, and goes on with it', async () => {
    const { trainer } = await open({
      unfinished: fakeSummary({
        id: 'run',
        job,
        step: 5,
        savedAt: Date.now() - 130_000,
        finished: false,
        modelName: 'emoji',
        dataName: 'riso',
        selfContained: true,
      }),
    });
    await expect.element(page.getByText('Paused at step 5 of 8')).toBeVisible();
    await expect.element(page.getByText(/2 min ago/)).toBeVisible();
    expect(await violations()).toEqual([]);
    const discard = vi.spyOn(trainer, 'discard');
    await page.getByText('More', { exact: false }).first().click();
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Name of the run' }).fill('Mine');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByRole('heading', { name: 'Mine' })).toBeVisible();
    await page.getByText('More', { exact: false }).first().click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await expect.element(page.getByRole('heading', { name: 'Mine' })).not.toBeInTheDocument();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: /^Continue from step 5/ }).click();
    await expect.element(page.getByRole('heading', { name: /^It has hardly changed/ })).toBeVisible();
    expect(discard).not.toHaveBeenCalled();
  });

  it('refuses a broken link in plain words', async () => {
    const { lab } = await open();
    lab.shared.refuse({ code: 'bad-job', message: 'This link is cut off.', cure: 'Ask for it again.' });
    await expect.element(page.getByRole('alert').getByText('This link is cut off.').first()).toBeVisible();
    expect(await violations()).toEqual([]);
  });

  it('shows what a shared link would do before it is done', async () => {
    const { lab, trainer } = await open();
    const start = vi.spyOn(trainer, 'start');
    lab.shared.show({ ...job, train: { ...job.train, steps: 6 } });
    await expect.element(page.getByText('6 steps of 4 images')).toBeVisible();
    expect(start).not.toHaveBeenCalled();
    await page.getByRole('button', { name: 'Train this' }).click();
    await expect.element(page.getByRole('heading', { name: /^Held-out loss fell by/ })).toBeVisible();
    expect(lab.run.step).toBe(6);
  });
});

describe('new', () => {
  it('lists the layers and plans them anew when the blocks change', async () => {
    const { lab } = await open();
    lab.go('new');
    await openAdvanced();
    await expect.element(page.getByRole('row', { name: /^conv_in/ })).toBeVisible();
    await expect.element(page.getByText('8 blocks of 4 × 4')).toBeVisible();
    await page.getByRole('radio', { name: 'size' }).click({ force: true });
    await page.getByRole('spinbutton', { name: 'Block size' }).fill('16');
    await userEvent.keyboard('{Tab}');
    await expect.element(page.getByText('2 blocks of 16 × 16')).toBeVisible();
    expect(lab.draft.job.plan.blocks).toEqual({ size: 16 });
    expect(await violations()).toEqual([]);
  });

  it('holds the weights in fewer bits where that is chosen, says what it comes to, and what files are made of', async () => {
    const rounded = {
      bits: 4 as const,
      before: 10.9e6,
      after: 1.71e6,
      weights: [{ name: 'conv_in.weight', block: 32, before: 10.9e6, after: 1.71e6, error: 0.078 }],
      left: [{ name: 'embed.weight', bytes: 2e6, reason: 'is looked up by Gather embed' }],
      outputs: 0.05,
    };
    const { lab } = await open({ rounded });
    lab.go('new');
    await openAdvanced();
    const bits = page.getByRole('combobox', { name: 'Weights in memory' });
    await expect.element(bits).toHaveValue('no');
    await bits.selectOptions('int4');
    expect(lab.draft.job.train.quantise).toBe('int4');
    const words = page.getByText(/1\.71 MB instead of 10\.9 MB/);
    await expect.element(words).toBeVisible();
    await expect.element(words).toHaveTextContent('embed.weight (2 MB) is looked up by Gather embed');
    expect(await violations()).toEqual([]);
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await expect.element(page.getByRole('heading', { name: /^Held-out loss fell by/ })).toBeVisible();
    await expect.element(page.getByText(/^What you save is made of the model’s own weights/)).toBeVisible();
    await page.getByRole('button', { name: 'See how it went' }).click();
    await expect.element(page.getByText('in 4 bits')).toBeVisible();
  });

  it('refuses a number where it is typed, and keeps the last good one', async () => {
    const { lab } = await open();
    lab.go('new');
    await openAdvanced();
    const steps = page.getByRole('spinbutton', { name: 'Steps', exact: true });
    await steps.fill('0');
    await userEvent.keyboard('{Tab}');
    await expect.element(page.getByText('From 1 to 1000000, please.')).toBeVisible();
    expect(lab.draft.job.train.steps).toBe(8);
  });

  it('shows all problems by the Start button, which then cannot be pressed', async () => {
    const { lab } = await open({
      problems: [
        { severity: 'error', code: 'bad-data', message: 'fox.png cannot be read.', cure: 'Take it out.' },
        { severity: 'warning', code: 'bad-job', message: 'Rule 2 matches no layer.' },
      ],
    });
    lab.go('new');
    await expect.element(page.getByRole('alert').getByText('fox.png cannot be read.').first()).toBeVisible();
    await expect.element(page.getByText('Rule 2 matches no layer.')).toBeVisible();
    await expect.element(page.getByRole('button', { name: 'Start', exact: true })).toBeDisabled();
  });
});

describe('run', () => {
  it('shows a row a step, moves by arrow keys, enlarges by enter', async () => {
    const { lab } = await open();
    await lab.training.start();
    lab.go('run');
    const cell = (name: string) => page.getByRole('button', { name });
    await expect.element(cell('ghost, untouched')).toBeVisible();
    expect(document.querySelectorAll('[role=grid] [role=row]:has(button)')).toHaveLength(5);
    expect(await violations()).toEqual([]);

    (cell('ghost, untouched').element() as HTMLElement).focus();
    await userEvent.keyboard('{ArrowDown}{ArrowRight}');
    await expect.element(cell('robot, step 8')).toHaveFocus();
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByRole('dialog', { name: 'robot, enlarged' })).toBeVisible();
    await userEvent.keyboard('{ArrowDown}');
    await expect.element(page.getByRole('dialog').getByText('Step 6')).toBeVisible();
    await userEvent.keyboard('{Escape}');
    await expect.element(cell('robot, step 6')).toHaveFocus();
  });

  it('says the loss in words, and reads single values by keyboard', async () => {
    const { lab } = await open();
    await lab.training.start();
    lab.go('run');
    const chart = page.getByRole('img', { name: /^Loss by step\. Loss 0\.\d+ at step 0, .* at step 7/ });
    await expect.element(chart).toBeVisible();
    (chart.element() as HTMLElement).focus();
    await userEvent.keyboard('{ArrowLeft}{ArrowLeft}');
    await expect.poll(() => document.querySelector('[aria-labelledby=loss] dl dd')?.textContent).toBe('6');
  });

  it('says where the model turns, layer by layer, by keyboard', async () => {
    const { lab } = await open();
    await lab.training.start();
    lab.go('run');
    const strip = page.getByRole('slider', { name: 'Layer to read' });
    await expect.element(strip).toHaveAttribute('aria-valuemax', String(lab.run.angles!.mean.length));
    (strip.element() as HTMLElement).focus();
    await userEvent.keyboard('{Home}{ArrowRight}');
    const { mean, largest } = lab.run.angles!;
    await expect
      .element(strip)
      .toHaveAttribute(
        'aria-valuetext',
        `${lab.draft.layers![1]!.path}: ${degrees(mean[1]!)} on average, ${degrees(largest[1]!)} at most`,
      );
    await expect.element(page.getByText(/^On average turned most: /)).toBeVisible();
  });

  it('offers the way on after a lost device', async () => {
    const { lab } = await open({ failAt: 5 });
    await lab.training.start();
    await expect
      .element(page.getByRole('alert').getByText('The graphics driver restarted.').first())
      .toBeVisible();
    await expect.element(page.getByRole('button', { name: 'Continue from step 4' })).toBeVisible();
    expect(await violations()).toEqual([]);
  });
});

describe('result', () => {
  it('draws what is asked for at the chosen strength, and saves', async () => {
    const { lab, trainer } = await open();
    await lab.training.start();
    const sample = vi.spyOn(trainer, 'sample');
    await page.getByRole('textbox', { name: 'What to draw' }).fill('fox');
    await userEvent.keyboard('{Enter}');
    expect(sample).not.toHaveBeenCalled();
    await expect
      .poll(() => sample.mock.calls.map(([wish]) => wish))
      .toContainEqual(expect.objectContaining({ prompts: ['fox'], strength: 1 }));
    (page.getByRole('slider', { name: 'Strength' }).element() as HTMLElement).focus();
    await userEvent.keyboard('{ArrowLeft}{ArrowLeft}');
    await expect
      .poll(() => sample.mock.calls.map(([wish]) => wish))
      .toContainEqual(expect.objectContaining({ prompts: ['fox'], strength: 0.8 }));
    const link = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => undefined);
    await page.getByRole('button', { name: 'Save adapter' }).click();
    await expect.element(page.getByText(/Saved emoji-riso.*holds \d+ of \d+ layers/)).toBeVisible();
    expect(link).toHaveBeenCalledOnce();
  });

  it('shows every prompt before and after at once, and one of them large under a wipe', async () => {
    const { lab, trainer } = await open();
    const sample = vi.spyOn(trainer, 'sample');
    await lab.training.start();
    for (const prompt of lab.draft.job.sample.prompts) {
      await expect.element(page.getByRole('img', { name: `${prompt}, untouched` })).toBeVisible();
      await expect.element(page.getByRole('img', { name: `${prompt}, tuned` })).toBeVisible();
    }
    await page.getByRole('button', { name: 'Enlarge robot' }).click();
    const dialog = page.getByRole('dialog', { name: 'robot, enlarged' });
    await expect.element(dialog.getByRole('slider', { name: /Where untouched ends/ })).toBeVisible();
    expect(await violations()).toEqual([]);
    await dialog.getByRole('button', { name: 'Previous' }).click();
    await expect.element(page.getByRole('dialog', { name: 'ghost, enlarged' })).toBeVisible();
    await userEvent.keyboard('{Escape}');
    await expect.element(page.getByRole('button', { name: 'Enlarge ghost' })).toHaveFocus();
    expect(sample).not.toHaveBeenCalled();
  });

  it('says how a run ended that was stopped', async () => {
    const { lab } = await open({ pace: 30 });
    const over = lab.training.start();
    await expect.poll(() => lab.run.step).toBeGreaterThan(1);
    await lab.training.stop();
    await over;
    await expect.element(page.getByRole('heading', { name: /^Stopped at step \d of 8$/ })).toBeVisible();
  });

  it('says what each destination loses before it is saved, and saves for the chosen one', async () => {
    const { lab, trainer } = await open();
    await lab.training.start();
    const exported = vi.spyOn(trainer, 'exportAdapter');
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => undefined);
    await page.getByRole('radio', { name: 'Python, PEFT cannot hold it' }).click();
    await expect.element(page.getByText(/PEFT rotates what comes into layers/)).toBeVisible();
    await expect.element(page.getByRole('button', { name: 'Save adapter' })).toBeDisabled();
    await page.getByRole('radio', { name: 'ONNX Runtime with a note' }).click();
    await expect.element(page.getByText(/keep its own file too/)).toBeVisible();
    expect(await violations()).toEqual([]);
    await page.getByRole('button', { name: 'Save model' }).click();
    await expect.element(page.getByText(/^Saved emoji-riso.*\.onnx/)).toBeVisible();
    expect(exported).toHaveBeenCalledWith('onnx');
  });

  it('tries an adapter that was picked, and says what became of its keys', async () => {
    const { lab } = await open();
    lab.draft.pick({ adapter: toSource([{ path: 'style.safetensors', blob: new Blob(['x']) }]) });
    await lab.trial.open();
    await expect.element(page.getByRole('heading', { name: 'style.safetensors' })).toBeVisible();
    await expect.element(page.getByText(/^LyCORIS file: 84 layers loaded/)).toBeVisible();
    await page.getByText('1 key missing').click();
    await expect.element(page.getByText('lora_unet_conv_out.oft_blocks')).toBeVisible();
    await expect.element(page.getByRole('img', { name: 'ghost, tuned' })).toBeVisible();
    expect(await violations()).toEqual([]);
    await page.getByRole('button', { name: 'Train on from this adapter' }).click();
    await expect.element(page.getByText('From the adapter style.safetensors')).toBeVisible();
  });
});
