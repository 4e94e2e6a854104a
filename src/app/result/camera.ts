/** @file The device's camera, and single frames of it as pictures. Nothing of it leaves the device. */
import type { Problem } from '#workers/protocol.ts';

/** Pixels of a frame's longer side at most: models see less. */
const LONGEST = 640;

/** Pages without a secure connection have none. */
export const hasCamera = (): boolean => 'mediaDevices' in navigator;

/** Throws what the browser throws: asked for in words by cameraProblem. */
export const openCamera = (): Promise<MediaStream> =>
  navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { facingMode: 'environment', width: { ideal: LONGEST } },
  });

export const closeCamera = (stream: MediaStream): void => {
  for (const track of stream.getTracks()) track.stop();
};

/** Why the camera cannot be used, and what to do about it. */
export function cameraProblem(cause: unknown): Problem {
  const name = cause instanceof DOMException ? cause.name : '';
  const detail = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  if (name === 'NotAllowedError')
    return {
      code: 'unsupported',
      message: 'The browser does not let this page use the camera.',
      cure: 'Allow it beside the address, then press again. Or choose a picture.',
      detail,
    };
  if (name === 'NotFoundError' || name === 'OverconstrainedError')
    return {
      code: 'unsupported',
      message: 'No camera was found.',
      cure: 'Connect one, or choose a picture.',
      detail,
    };
  return {
    code: 'unsupported',
    message: 'The camera could not be started. Another program may be using it.',
    cure: 'Close that program and press again, or choose a picture.',
    detail,
  };
}

/** What the video shows now, as a PNG; null: it shows nothing yet. */
export async function frameOf(video: HTMLVideoElement): Promise<Blob | null> {
  const { videoWidth, videoHeight } = video;
  if (videoWidth === 0 || videoHeight === 0) return null;
  const scale = Math.min(1, LONGEST / Math.max(videoWidth, videoHeight));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(videoWidth * scale));
  canvas.height = Math.max(1, Math.round(videoHeight * scale));
  canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => {
    canvas.toBlob(resolve, 'image/png');
  });
}
