/** @file Hands bytes or text to the user as a file. */

export function saveFile(
  name: string,
  content: Uint8Array | string,
  type = 'application/octet-stream',
): void {
  const url = URL.createObjectURL(new Blob([content as BlobPart], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Some browsers read the address only after the click has been handled.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
