/** @file A progress line on stderr: bar, step, loss, time left. On a terminal it redraws itself, elsewhere it is a line now and then. */

const WIDTH = 24;
/** Without a terminal: a line at most so often. */
const QUIET_MS = 10_000;

/** 95 → "1 min 35 s". @param {number} seconds */
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/**
 * @param {number} step @param {number} total @param {number} loss @param {number | null} secondsLeft
 */
export function progressLine(step, total, loss, secondsLeft) {
  const share = Math.min(1, step / total);
  const full = Math.round(share * WIDTH);
  const bar = `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)}`;
  const left = secondsLeft === null ? '' : `  ${duration(secondsLeft)} left`;
  return `${bar}  step ${step} of ${total}  loss ${loss.toFixed(4)}${left}`;
}

export class Progress {
  #live = process.stderr.isTTY;
  #shown = false;
  #last = -Infinity;

  /** A state that the next one replaces. @param {string} line */
  update(line) {
    if (this.#live) {
      process.stderr.write(`\r\x1b[2K${line}`);
      this.#shown = true;
    } else if (performance.now() - this.#last > QUIET_MS) {
      this.#last = performance.now();
      process.stderr.write(`${line}\n`);
    }
  }

  /** A line that stays. @param {string} line */
  note(line) {
    if (this.#shown) process.stderr.write('\r\x1b[2K');
    this.#shown = false;
    process.stderr.write(`${line}\n`);
  }
}
