/** @file Bytes through a stream of the browser's, such as its deflate, that may give so many and no more. */

/** More came out than was allowed for. */
export class TooMuch extends Error {
  override readonly name = 'TooMuch';
}

/**
 * What comes out for all of the bytes. Stops as soon as there are more than `limit`.
 * @throws TooMuch beyond the limit; TypeError for bytes that the stream refuses
 */
export async function streamed(
  bytes: Uint8Array,
  transform: CompressionStream | DecompressionStream,
  limit: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(transform);
  const reader: ReadableStreamDefaultReader<Uint8Array> = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > limit) {
      await reader.cancel();
      throw new TooMuch(`more than ${limit} bytes`);
    }
    chunks.push(value);
  }
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}
