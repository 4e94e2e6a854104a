/** @file The camera: asked for, shown, a picture or a burst taken, and let go of. Nothing is kept that was not taken. */
import type { FileSource } from './content.ts';

/** Milliseconds between the pictures of a burst. */
const BURST_MS = 200;
/** Pixels of the longer side at most: no model here sees more. */
const SIDE = 1024;

export type CameraState =
  | { readonly kind: 'off' }
  | { readonly kind: 'asking' }
  | { readonly kind: 'on' }
  /** Why there is no picture, and the way out. */
  | { readonly kind: 'refused'; readonly why: string; readonly cure: string };

const PICK = 'Or take pictures with the device’s own camera, and add them as files.';

/** What the browser's refusal means. */
function refusal(cause: unknown): CameraState {
  const name = cause instanceof Error ? cause.name : '';
  const said = (why: string, cure: string): CameraState => ({
    kind: 'refused',
    why,
    cure: `${cure} ${PICK}`,
  });
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return said(
        'This page may not use the camera.',
        'Allow it in the browser’s settings for this page (the sign beside the address), then try again.',
      );
    case 'NotFoundError':
    case 'OverconstrainedError':
      return said('There is no camera here.', 'Plug one in, then try again.');
    case 'NotReadableError':
    case 'AbortError':
      return said('Another program or tab is using the camera.', 'Close it, then try again.');
    default:
      return said(
        'This browser gives the page no camera.',
        'Open the page over https or in another browser.',
      );
  }
}

let number = 0;

export class Camera {
  #state = $state.raw<CameraState>({ kind: 'off' });
  #stream = $state.raw<MediaStream | null>(null);
  #count = $state(0);
  #cameras = $state(1);
  #facing: 'user' | 'environment' = 'environment';
  #device: string | null = null;
  #turn = 0;
  /** The press that pictures are taken for; null: none. */
  #held: object | null = null;

  get state() {
    return this.#state;
  }
  /** What the camera sees; null: it is off. */
  get stream() {
    return this.#stream;
  }
  /** Pictures taken since it was switched on. */
  get count() {
    return this.#count;
  }
  get several() {
    return this.#cameras > 1;
  }

  async open(): Promise<void> {
    const turn = ++this.#turn;
    this.#let();
    this.#state = { kind: 'asking' };
    try {
      const { mediaDevices } = navigator as { mediaDevices?: MediaDevices };
      if (!mediaDevices) throw new Error('no media devices');
      const video =
        this.#device === null ? { facingMode: this.#facing } : { deviceId: { exact: this.#device } };
      const stream = await mediaDevices.getUserMedia({ video: { ...video, width: { ideal: 1280 } } });
      // Closed while it was asked for.
      if (turn !== this.#turn) {
        stop(stream);
        return;
      }
      this.#stream = stream;
      this.#state = { kind: 'on' };
      const devices = await mediaDevices.enumerateDevices();
      this.#cameras = devices.filter(({ kind }) => kind === 'videoinput').length;
      const [track] = stream.getVideoTracks();
      track?.addEventListener('ended', () => {
        if (this.#stream !== stream) return;
        this.#let();
        this.#state = refusal(Object.assign(new Error('ended'), { name: 'NotReadableError' }));
      });
    } catch (cause) {
      if (turn === this.#turn) this.#state = refusal(cause);
    }
  }

  /** The next camera of the device. */
  async switch(): Promise<void> {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const cameras = devices.filter(({ kind }) => kind === 'videoinput');
    const now = this.#stream?.getVideoTracks()[0]?.getSettings().deviceId;
    const at = cameras.findIndex(({ deviceId }) => deviceId === now);
    this.#device = cameras[(at + 1) % Math.max(1, cameras.length)]?.deviceId ?? null;
    await this.open();
  }

  /** Stops the stream: the light beside the lens goes out. */
  close(): void {
    this.#turn++;
    this.#held = null;
    this.#let();
    this.#state = { kind: 'off' };
    this.#count = 0;
  }

  /** Pictures until `release`, one at least. @param keep gets each as a file */
  async hold(video: HTMLVideoElement, keep: (source: FileSource) => Promise<void>): Promise<void> {
    const press = {};
    this.#held = press;
    const turn = this.#turn;
    do {
      const started = performance.now();
      const source = await frame(video);
      if (turn !== this.#turn) return;
      if (source) {
        await keep(source);
        this.#count++;
      }
      const rest = BURST_MS - (performance.now() - started);
      await new Promise((go) => setTimeout(go, Math.max(0, rest)));
      // A press that began meanwhile goes on by itself.
    } while (this.#held === press);
  }
  release(): void {
    this.#held = null;
  }

  #let(): void {
    if (this.#stream) stop(this.#stream);
    this.#stream = null;
  }
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** What the video shows now, as a JPEG file; null: it shows nothing yet. */
async function frame(video: HTMLVideoElement): Promise<FileSource | null> {
  const { videoWidth, videoHeight } = video;
  if (videoWidth === 0) return null;
  const scale = Math.min(1, SIDE / Math.max(videoWidth, videoHeight));
  const canvas = new OffscreenCanvas(Math.round(videoWidth * scale), Math.round(videoHeight * scale));
  canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
  const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 });
  const path = `camera-${String(++number).padStart(3, '0')}.jpg`;
  return {
    kind: 'files',
    name: path,
    files: [{ path, blob: new File([blob], path, { type: 'image/jpeg' }) }],
  };
}
