/** @file The Content-Range header of a partial answer (RFC 9110, 14.4). Servers must allow other pages to see it; many do not. */

/** First byte and whole size of `bytes a-b/size` (null: the host does not say how large the whole is); null where it says something else. */
export function contentRange(
  response: Response,
): { readonly start: number; readonly total: number | null } | null {
  const found = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
  return found
    ? { start: Number(found[1]), total: /^\d{1,15}$/.test(found[2]!) ? Number(found[2]) : null }
    : null;
}
