/** @file Rounding as IEEE 754, numpy and ONNX do: JavaScript's own takes halves up. */

/** To the nearest whole number, halves to the even one. */
export function roundEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest === 0.5) return 2 * Math.floor((low + 1) / 2);
  return rest > 0.5 ? low + 1 : low;
}
