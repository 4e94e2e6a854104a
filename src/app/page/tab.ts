/** @file One tab trains at a time: a Web Lock decides, a BroadcastChannel tells the others how far it is. */
import { lockFreed, type Release, takeLock } from '#src/platform/locks.ts';

export interface OtherTab {
  readonly step: number;
  readonly total: number;
}

const LOCK = 'rotune-training';
/** Tabs that wait to hear of a run's end have the lock for an instant then, milliseconds. */
const MOMENT = 500;

export class TabGuard {
  readonly #channel: BroadcastChannel | null;
  #release: Release | null = null;
  readonly #onOther: (other: OtherTab | null) => void;
  /** It is waited for the other tab's end. */
  #waiting = false;

  /** `onOther` hears of a run in another tab, and null when it ends or the tab is gone. */
  constructor(onOther: (other: OtherTab | null) => void) {
    this.#onOther = onOther;
    this.#channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('rotune');
    this.#channel?.addEventListener('message', (event: MessageEvent<OtherTab | 'free'>) => {
      onOther(event.data === 'free' ? null : event.data);
      if (event.data !== 'free') void this.#awaitItsEnd();
    });
  }

  /** A tab that is closed or killed says nothing; the browser takes its lock. */
  async #awaitItsEnd(): Promise<void> {
    if (this.#waiting) return;
    this.#waiting = true;
    await lockFreed(LOCK);
    this.#waiting = false;
    this.#onOther(null);
  }

  /** True if this tab may train now; hold it until `free`. */
  async take(): Promise<boolean> {
    if (!this.#release) this.#release = await takeLock(LOCK, MOMENT);
    return this.#release !== null;
  }

  tell(progress: OtherTab): void {
    this.#channel?.postMessage(progress);
  }

  /** Resolves when another may take it. */
  async free(): Promise<void> {
    const release = this.#release;
    if (!release) return;
    this.#release = null;
    await release();
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
