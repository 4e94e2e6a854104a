/**
 * @file A realm's signs of life, for whoever watches it from outside. While a computation keeps the realm busy it cannot beat, so how long that may take is
 * announced before.
 */

/** Milliseconds between two beats. */
export const BEAT = 1000;

/** So long every watcher waits for a beat, milliseconds. */
export const SILENCE = 10_000;

/** Work of our own on a person's files may keep a slow device busy so long at a stretch, milliseconds. */
export const STRETCH = 60_000;

/** What was never timed may take so long, milliseconds: minutes on a slow device, and no device takes longer without being stuck. */
export const UNTIMED = 300_000;

/** Hears a beat: from now on silence may last `allowed` milliseconds longer than usual. */
export type Beat = (allowed: number) => void;

export class Pulse {
  #tell: Beat | null = null;
  readonly #announced = new Set<{ readonly ms: number }>();

  /** Beats from now on, to one listener. Without one, nothing is told. */
  begin(tell: Beat): () => void {
    this.#tell = tell;
    this.#beat();
    const timer = setInterval(() => this.#beat(), BEAT);
    return () => {
      clearInterval(timer);
      this.#tell = null;
    };
  }

  /** Does work during which the realm may be silent for up to `ms` milliseconds. */
  async during<T>(ms: number, work: () => T | Promise<T>): Promise<T> {
    // So long everybody waits in any case.
    if (ms <= SILENCE) return work();
    const announced = { ms };
    this.#announced.add(announced);
    this.#beat();
    try {
      return await work();
    } finally {
      this.#announced.delete(announced);
      this.#beat();
    }
  }

  #beat(): void {
    this.#tell?.(Math.max(0, ...[...this.#announced].map(({ ms }) => ms)));
  }
}

/** This realm's. */
export const pulse = new Pulse();
