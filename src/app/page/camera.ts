/** @file The device's camera: asked for, why there is none, the next one, what it sees as a picture, and let go of. Nothing of it leaves the device. */

/** Why there is no picture, and the way out. */
export interface Refusal {
  readonly why: string;
  readonly cure: string;
}

/** Pages without a secure connection have none. */
export const hasCamera = (): boolean => 'mediaDevices' in navigator;

/**
 * The stream of a camera: of that device, or of the one that looks away from the person. Rejects with what the browser says, for `refusalOf`.
 * @param width pixels that are enough
 * @param onended it was unplugged, or taken by another program
 */
export async function openCamera(
  { device = null, width }: { readonly device?: string | null; readonly width: number },
  onended: (refusal: Refusal, stream: MediaStream) => void,
): Promise<MediaStream> {
  if (!hasCamera()) throw new DOMException('There are no media devices.', 'NotSupportedError');
  const which = device === null ? { facingMode: 'environment' } : { deviceId: { exact: device } };
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { ...which, width: { ideal: width } },
  });
  const [track] = stream.getVideoTracks();
  track?.addEventListener('ended', () => onended(taken, stream));
  return stream;
}

/** Stops a stream: the light beside the lens goes out. */
export function closeCamera(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** All cameras of the device. */
export const cameras = async (): Promise<readonly MediaDeviceInfo[]> =>
  (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === 'videoinput');

/** The device after the one that a stream comes from; null: any. */
export async function nextCamera(stream: MediaStream | null): Promise<string | null> {
  const all = await cameras();
  const now = stream?.getVideoTracks()[0]?.getSettings().deviceId;
  const at = all.findIndex(({ deviceId }) => deviceId === now);
  return all[(at + 1) % Math.max(1, all.length)]?.deviceId ?? null;
}

const taken: Refusal = {
  why: 'Another program or tab is using the camera.',
  cure: 'Close it, then try again.',
};

/** What the browser's refusal means. */
export function refusalOf(cause: unknown): Refusal {
  switch (cause instanceof Error ? cause.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return {
        why: 'This page may not use the camera.',
        cure: 'Allow it in the browser’s settings for this page (the sign beside the address), then try again.',
      };
    case 'NotFoundError':
    case 'OverconstrainedError':
      return { why: 'There is no camera here.', cure: 'Plug one in, then try again.' };
    case 'NotReadableError':
    case 'AbortError':
      return taken;
    case 'NotSupportedError':
      return {
        why: 'This browser gives the page no camera.',
        cure: 'Open the page over https or in another browser.',
      };
    default:
      return {
        why: 'The camera could not be started.',
        cure: 'Close other programs that may be using it, then try again.',
      };
  }
}

/**
 * What a video shows now; null: it shows nothing yet.
 * @param longest pixels of the longer side at most
 */
export async function frameOf(
  video: HTMLVideoElement,
  longest: number,
  options: ImageEncodeOptions,
): Promise<Blob | null> {
  const { videoWidth, videoHeight } = video;
  if (videoWidth === 0 || videoHeight === 0) return null;
  const scale = Math.min(1, longest / Math.max(videoWidth, videoHeight));
  const side = (pixels: number) => Math.max(1, Math.round(pixels * scale));
  const canvas = new OffscreenCanvas(side(videoWidth), side(videoHeight));
  canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob(options);
}
