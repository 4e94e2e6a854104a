/** @file The camera before a finished run: single frames as pictures to try, and what is the matter as a problem. */
import type { Problem } from '#workers/protocol.ts';
import { frameOf, openCamera, type Refusal, refusalOf } from '../page/camera.ts';

/** Pixels of a frame's longer side at most: models see less. */
const LONGEST = 640;

const problem = ({ why, cure }: Refusal, detail: string): Problem => ({
  code: 'unsupported',
  message: why,
  cure: `${cure} Or choose a picture.`,
  detail,
});

/** Why the camera cannot be used, and what to do about it. */
export const cameraProblem = (cause: unknown): Problem =>
  problem(refusalOf(cause), cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause));

/**
 * What the camera sees. Rejects with what the browser says, for `cameraProblem`.
 * @param onended hears why it sees nothing any more
 */
export const watchCamera = (onended: (problem: Problem) => void): Promise<MediaStream> =>
  openCamera({ width: LONGEST }, (refusal) => onended(problem(refusal, 'ended')));

/** What the video shows now, as a PNG; null: it shows nothing yet. */
export const stillOf = (video: HTMLVideoElement): Promise<Blob | null> =>
  frameOf(video, LONGEST, { type: 'image/png' });
