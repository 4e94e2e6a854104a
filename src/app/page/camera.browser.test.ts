/** @file The camera: which one is asked for, which comes next, what a refusal means, and that an end from outside is told. */
import { afterEach, expect, it, vi } from 'vitest';
import { closeCamera, nextCamera, openCamera, type Refusal, refusalOf } from './camera.ts';

afterEach(() => vi.restoreAllMocks());

const devices = (...all: readonly (readonly [kind: MediaDeviceKind, deviceId: string])[]) =>
  vi
    .spyOn(navigator.mediaDevices, 'enumerateDevices')
    .mockResolvedValue(all.map(([kind, deviceId]) => ({ kind, deviceId }) as MediaDeviceInfo));
const from = (deviceId: string) =>
  ({ getVideoTracks: () => [{ getSettings: () => ({ deviceId }) }] }) as unknown as MediaStream;

it('goes from one to the next, and round', async () => {
  devices(['videoinput', 'front'], ['audioinput', 'microphone'], ['videoinput', 'back']);
  expect(await nextCamera(from('front'))).toBe('back');
  expect(await nextCamera(from('back'))).toBe('front');
  expect(await nextCamera(null)).toBe('front');
  devices(['audioinput', 'microphone']);
  expect(await nextCamera(null)).toBeNull();
});

it('asks for the one that is named, else for the one that looks away, and for no sound', async () => {
  const canvas = document.createElement('canvas');
  canvas.getContext('2d');
  const ask = vi
    .spyOn(navigator.mediaDevices, 'getUserMedia')
    .mockImplementation(() => Promise.resolve(canvas.captureStream(1)));
  const ended: Refusal[] = [];
  const hear = (refusal: Refusal) => ended.push(refusal);
  const stream = await openCamera({ width: 640 }, hear);
  await openCamera({ width: 1280, device: 'front' }, hear);
  expect(ask.mock.calls.map(([wish]) => wish)).toEqual([
    { audio: false, video: { facingMode: 'environment', width: { ideal: 640 } } },
    { audio: false, video: { deviceId: { exact: 'front' }, width: { ideal: 1280 } } },
  ]);
  closeCamera(stream);
  expect(stream.getTracks().map(({ readyState }) => readyState)).toEqual(['ended']);
  expect(ended).toEqual([]);
  stream.getVideoTracks()[0]!.dispatchEvent(new Event('ended'));
  expect(ended.map(({ why }) => why)).toEqual(['Another program or tab is using the camera.']);
});

it.each([
  ['NotAllowedError', 'This page may not use the camera.'],
  ['SecurityError', 'This page may not use the camera.'],
  ['OverconstrainedError', 'There is no camera here.'],
  ['AbortError', 'Another program or tab is using the camera.'],
  ['NotSupportedError', 'This browser gives the page no camera.'],
  ['OperationError', 'The camera could not be started.'],
])('%s: %s', (name, why) => {
  expect(refusalOf(new DOMException('no', name)).why).toBe(why);
});
