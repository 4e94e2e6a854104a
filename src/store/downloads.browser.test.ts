/** @file The depot in a real browser's private file system. Its writes are offered to workers only, so one does the work. */
import { expect, it } from 'vitest';
import Tester from './testing/depot.worker.ts?worker';

it('keeps records and bytes, lets one write at a time, and forgets what nobody names', async () => {
  const worker = new Tester();
  const result = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage('go');
  });
  worker.terminate();
  expect(result).toEqual({
    sizes: [3, 5],
    bytes: [1, 2, 3, 4, 5],
    second: 'Another tab is downloading the same file.',
    found: ['https://b.example/', 'https://a.example/'],
    damaged: 2,
    afterFirst: true,
    afterBoth: false,
    absent: null,
  });
});
