/** @file The camera: asked for, shown, a picture or a burst taken, and let go of. Nothing is kept that was not taken. */
import {
  cameras,
  closeCamera,
  frameOf,
  nextCamera,
  openCamera,
  type Refusal,
  refusalOf,
} from '../page/camera.ts';
import type { FileSource } from './content.ts';

/** Milliseconds between the pictures of a burst, and until a press is held: a short one takes one picture, however slow the device is. */
const [BURST_MS, HELD_MS] = [200, 500];
/** Pixels of the longer side at most: no model here sees more. */
const SIDE = 1024;
/** Pixels of a row that are asked of the camera. */
const ENOUGH = 1280;

export type CameraState =
  | { readonly kind: 'off' }
  | { readonly kind: 'asking' }
  | { readonly kind: 'on' }
  | ({ readonly kind: 'refused' } & Refusal);

const PICK = 'Or take pictures with the device’s own camera, and add them as files.';

const refused = ({ why, cure }: Refusal): CameraState => ({ kind: 'refused', why, cure: `${cure} ${PICK}` });

let number = 0;

export class Camera {
  #state = $state.raw<CameraState>({ kind: 'off' });
  #stream = $state.raw<MediaStream | null>(null);
  #count = $state(0);
  #cameras = $state(1);
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
      const stream = await openCamera({ device: this.#device, width: ENOUGH }, (refusal, ended) => {
        if (this.#stream !== ended) return;
        this.#let();
        this.#state = refused(refusal);
      });
      // Closed while it was asked for.
      if (turn !== this.#turn) {
        closeCamera(stream);
        return;
      }
      this.#stream = stream;
      this.#state = { kind: 'on' };
      this.#cameras = (await cameras()).length;
    } catch (cause) {
      if (turn === this.#turn) this.#state = refused(refusalOf(cause));
    }
  }

  /** The next camera of the device. */
  async switch(): Promise<void> {
    this.#device = await nextCamera(this.#stream);
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
    let pause = HELD_MS;
    do {
      const started = performance.now();
      const source = await pictureOf(video);
      if (turn !== this.#turn) return;
      if (source) {
        await keep(source);
        this.#count++;
      }
      const rest = pause - (performance.now() - started);
      pause = BURST_MS;
      await new Promise((go) => setTimeout(go, Math.max(0, rest)));
      // A press that began meanwhile goes on by itself.
    } while (this.#held === press);
  }
  release(): void {
    this.#held = null;
  }

  #let(): void {
    if (this.#stream) closeCamera(this.#stream);
    this.#stream = null;
  }
}

/** What the video shows now, as a JPEG file; null: it shows nothing yet. */
async function pictureOf(video: HTMLVideoElement): Promise<FileSource | null> {
  const blob = await frameOf(video, SIDE, { type: 'image/jpeg', quality: 0.92 });
  if (!blob) return null;
  const path = `camera-${String(++number).padStart(3, '0')}.jpg`;
  return {
    kind: 'files',
    name: path,
    files: [{ path, blob: new File([blob], path, { type: 'image/jpeg' }) }],
  };
}
