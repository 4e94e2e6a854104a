/** @file A frame of the job's own: a text in which prompt and completion have their places. */

/** Where prompt and answer stand in a frame of the job's own. */
export const [PROMPT, COMPLETION] = ['{prompt}', '{completion}'];

/** Whether a job's frame can be used: a word, or a text in which the prompt comes before the answer, each once. */
export function isFrame(frame: unknown): frame is string {
  if (typeof frame !== 'string' || frame.length > 2000) return false;
  if (frame === 'auto' || frame === 'none') return true;
  const [before, ...rest] = frame.split(PROMPT);
  const behind = rest[0] ?? '';
  return rest.length === 1 && !before!.includes(COMPLETION) && behind.split(COMPLETION).length <= 2;
}

/** A frame of the job's own in its three parts; `\n` in it is a line break. */
export function partsOf(frame: string): { before: string; between: string; after: string } {
  const [before, behind] = frame.replaceAll('\\n', '\n').split(PROMPT) as [string, string];
  const [between, after = ''] = behind.split(COMPLETION) as [string, string?];
  return { before, between, after };
}
