/** @file Rotation angles of many layers, brought down to the few blocks of a small drawing. */

/** Means of `groups` runs of neighbouring layers of about equal length, in order. Empty input gives zeros. */
export function layerGroups(values: readonly number[], groups: number): number[] {
  return Array.from({ length: groups }, (_, i) => {
    const part = values.slice(
      Math.floor((i * values.length) / groups),
      Math.floor(((i + 1) * values.length) / groups),
    );
    return part.length === 0 ? 0 : part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
