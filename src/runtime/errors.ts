/** @file Failures of the runtime as codes that the page can act on. */

export type RuntimeErrorCode = 'device-lost' | 'out-of-memory' | 'session' | 'run';

/** The message is shown to people as it is; `code` says which way out to offer. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  constructor(
    readonly code: RuntimeErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const memory = /out of memory|out-of-memory|bad_alloc|allocation failed|failed to allocate|abort\(oom/i;

/**
 * What onnxruntime threw, as a RuntimeError.
 *
 * @param phase what was being done, the code where nothing else is recognised.
 * @param subject what it was done to, for the message ("stage step").
 * @param lost reason of the device's loss, if it is lost: whatever was thrown follows from that.
 */
export function runtimeError(
  thrown: unknown,
  phase: 'session' | 'run',
  subject: string,
  lost?: string,
): RuntimeError {
  if (thrown instanceof RuntimeError) return thrown;
  if (lost !== undefined)
    return new RuntimeError(
      'device-lost',
      `The graphics device was lost (${lost}). Resume from the last checkpoint, or go on with WebAssembly.`,
      { cause: thrown },
    );
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  // The wasm build throws a bare number (a C++ exception's address) where an allocation fails.
  if (typeof thrown === 'number' || thrown instanceof RangeError || memory.test(text))
    return new RuntimeError(
      'out-of-memory',
      `${subject} does not fit into memory. Use a smaller batch or resolution, or adapt fewer layers.`,
      { cause: thrown },
    );
  const doing = phase === 'session' ? 'could not be prepared' : 'failed';
  return new RuntimeError(phase, `${subject} ${doing}: ${text.split('\n')[0]}`, { cause: thrown });
}
