/** @file A notification of the system, for those who ask to be told when a run is done. */

/** What a browser has of it. */
export interface Notifier {
  /** Whether it may ask, or was allowed already. */
  readonly possible: () => boolean;
  /** Asks the person, if that is still open. Whether it is allowed. */
  readonly allow: () => Promise<boolean>;
  readonly show: (text: string) => Promise<void>;
}

export const systemNotifier: Notifier = {
  possible: () => 'Notification' in globalThis && Notification.permission !== 'denied',
  allow: async () => (await Notification.requestPermission()) === 'granted',
  show: async (body) => {
    const options = { body, tag: 'rotune-run' };
    try {
      new Notification('Rotune', options);
    } catch {
      // Android's browsers let only service workers notify.
      if (!('serviceWorker' in navigator)) return;
      await (await navigator.serviceWorker.getRegistration())?.showNotification('Rotune', options);
    }
  },
};

export class Notice {
  readonly #notifier: Notifier;
  #wanted = $state(false);
  /** The browser or the person said no. */
  #refused = $state(false);

  constructor(notifier: Notifier = systemNotifier) {
    this.#notifier = notifier;
    this.#refused = !notifier.possible();
  }

  get wanted(): boolean {
    return this.#wanted;
  }
  /** It can be asked for. */
  get offered(): boolean {
    return !this.#wanted && !this.#refused;
  }

  /** Only at a press: browsers refuse others, and nobody likes to be asked. */
  async ask(): Promise<void> {
    const allowed = await this.#notifier.allow().catch(() => false);
    this.#wanted = allowed;
    this.#refused = !allowed && !this.#notifier.possible();
  }

  /** The run is over: the wish was for this one. */
  end(text: string, hidden: boolean): void {
    const { wanted } = this;
    this.#wanted = false;
    if (wanted && hidden) void this.#notifier.show(text).catch(() => undefined);
  }
}
