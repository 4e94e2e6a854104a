/** @file One tab trains at a time: a Web Lock decides, a BroadcastChannel tells the others how far it is. */

export interface OtherTab {
  readonly step: number;
  readonly total: number;
}

const LOCK = 'rotune-training';

export class TabGuard {
  readonly #channel: BroadcastChannel | null;
  #release: (() => void) | null = null;
  /** Settles when the lock is given back. */
  #held: Promise<unknown> = Promise.resolve();

  /** `onOther` hears of a run in another tab, and null when it ends. */
  constructor(onOther: (other: OtherTab | null) => void) {
    this.#channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('rotune');
    this.#channel?.addEventListener('message', (event: MessageEvent<OtherTab | 'free'>) => {
      onOther(event.data === 'free' ? null : event.data);
    });
  }

  /** True if this tab may train now; hold it until `free`. */
  async take(): Promise<boolean> {
    if (this.#release) return true;
    if (!('locks' in navigator)) {
      this.#release = () => undefined;
      return true;
    }
    return new Promise<boolean>((resolve) => {
      this.#held = navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
        if (!lock) {
          resolve(false);
          return undefined;
        }
        return new Promise<void>((release) => {
          this.#release = release;
          resolve(true);
        });
      });
    });
  }

  tell(progress: OtherTab): void {
    this.#channel?.postMessage(progress);
  }

  /** Resolves when another may take it. */
  async free(): Promise<void> {
    if (!this.#release) return;
    this.#release();
    this.#release = null;
    await this.#held;
    this.#channel?.postMessage('free');
  }
}

/** Keeps the screen on while `held`; the browser drops the lock when the page is hidden, so it is asked for again. */
export class WakeLock {
  #sentinel: WakeLockSentinel | null = null;
  #wanted = false;

  constructor() {
    document.addEventListener('visibilitychange', () => void this.#apply());
  }

  get held(): boolean {
    return this.#wanted;
  }
  set held(wanted: boolean) {
    this.#wanted = wanted;
    void this.#apply();
  }

  async #apply(): Promise<void> {
    if (!('wakeLock' in navigator)) return;
    if (!this.#wanted) {
      await this.#sentinel?.release();
      this.#sentinel = null;
    } else if (document.visibilityState === 'visible' && (this.#sentinel?.released ?? true)) {
      // Refused on low battery: training goes on all the same.
      this.#sentinel = await navigator.wakeLock.request('screen').catch(() => null);
      // The run may have ended meanwhile.
      if (!this.held) {
        await this.#sentinel?.release();
        this.#sentinel = null;
      }
    }
  }
}
