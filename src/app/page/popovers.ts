/** @file Whether this browser has the Popover API, and where what it opens stands beside its button. */

/** Asked each time: the tests take it away. */
export const hasPopovers = (): boolean => 'popover' in HTMLElement.prototype;

const GAP = 6;

/**
 * Below the button, or above where there is more room; never out of the window. In CSS pixels of the window, for `position: fixed`, since not every
 * browser anchors by itself.
 */
export function besides(
  button: Pick<DOMRect, 'left' | 'top' | 'bottom'>,
  width: number,
  view: { readonly width: number; readonly height: number },
): { readonly left: number; readonly top: number | null; readonly bottom: number | null } {
  const left = Math.max(GAP, Math.min(button.left, view.width - width - GAP));
  const above = button.top > view.height - button.bottom;
  return above
    ? { left, top: null, bottom: view.height - button.top + GAP }
    : { left, top: button.bottom + GAP, bottom: null };
}
