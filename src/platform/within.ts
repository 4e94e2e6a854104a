/** @file Waiting no longer than so long: what answers may hang, and whoever waits would hang with it. */

/**
 * What the work comes to, or what `late` gives or throws where it takes longer. The work itself goes on.
 * @param ms milliseconds
 */
export async function within<T, L>(ms: number, work: Promise<T>, late: () => L): Promise<T | L> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silent = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  }).then(late);
  try {
    return await Promise.race([work, silent]);
  } finally {
    clearTimeout(timer);
  }
}
