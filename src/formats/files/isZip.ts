/** @file What a ZIP archive begins with, without the library that reads one. */

/** Whether the bytes start as an archive with something in it does. */
export const isZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
