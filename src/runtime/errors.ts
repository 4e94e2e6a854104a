/** @file Failures of the runtime as codes that the page can act on. */
import { PlainError, type PlainOptions } from '#src/platform/refusals.ts';

export type RuntimeErrorCode = 'device-lost' | 'out-of-memory' | 'session' | 'run';

/** The message is shown to people as it is; `code` says which way out to offer. */
export class RuntimeError extends PlainError {
  override readonly name = 'RuntimeError';
  constructor(
    readonly code: RuntimeErrorCode,
    message: string,
    options?: PlainOptions,
  ) {
    super(message, options);
  }
}

/** A program asks for what it does not have, or is not given what it asks for: a mistake of ours, whose words nobody is shown. */
export class ProgramMistake extends Error {
  override readonly name = 'ProgramMistake';
}

const memory =
  /out of memory|out-of-memory|out_of_memory|bad_alloc|allocation (?:failed|failure|size overflow)|(?:failed|unable|cannot|could not) to allocate|abort(?:ed)?\(oom|array buffer allocation|invalid (?:typed )?array (?:buffer )?length|cannot enlarge memory|memory access out of bounds/i;

/** Whether an error says, in an engine's, a driver's or the runtime's words, that memory ran out. */
export function isOutOfMemory(error: unknown): boolean {
  if (error instanceof RuntimeError) return error.code === 'out-of-memory';
  if (!(error instanceof Error)) return false;
  return memory.test(error.message) || (error.cause !== undefined && isOutOfMemory(error.cause));
}

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
  if (typeof thrown === 'number' || memory.test(text))
    return new RuntimeError(
      'out-of-memory',
      `${subject} does not fit into memory. Use a smaller batch or resolution, or adapt fewer layers.`,
      { cause: thrown },
    );
  const doing = phase === 'session' ? 'could not be prepared' : 'failed';
  // The runtime's own words are for those who mend it: they stay in the cause, which the page shows as details.
  return new RuntimeError(
    phase,
    `${subject} ${doing} in ONNX Runtime on this device. Try the other backend (CPU instead of GPU), or a smaller model; if it happens again, report it with the details.`,
    { cause: thrown },
  );
}
