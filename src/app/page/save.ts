/** @file Hands bytes or text to the user as a file. */

export const saveFile = (
  name: string,
  content: Uint8Array | string,
  type = 'application/octet-stream',
): void => saveBlob(name, new Blob([content as BlobPart], { type }));

export function saveBlob(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Some browsers read the address only after the click has been handled.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
