/** @file The service worker from the page's side: registration, the offer of a new version, and isolation on hosts without headers. */

const RELOADED = 'rotune.reloadedForIsolation';

export class Offline {
  #waiting = $state.raw<ServiceWorker | null>(null);
  #wantsIsolation = $state(false);
  #touched = false;

  /** A new version is ready; the page should offer it when no run is going on. */
  get updateReady(): boolean {
    return this.#waiting !== null;
  }
  /** One reload would give wasm its threads; offered, since the user has begun something already. */
  get wantsIsolation(): boolean {
    return this.#wantsIsolation;
  }

  async register(): Promise<void> {
    if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
    const touch = () => (this.#touched = true);
    addEventListener('pointerdown', touch, { once: true });
    addEventListener('keydown', touch, { once: true });
    const hadController = navigator.serviceWorker.controller !== null;
    navigator.serviceWorker.addEventListener('controllerchange', () => {
      if (!hadController && !crossOriginIsolated) this.#isolate();
    });
    try {
      const registration = await navigator.serviceWorker.register(
        new URL('service-worker.js', document.baseURI),
        { updateViaCache: 'none' },
      );
      this.#watch(registration);
    } catch {
      // Blocked by settings or a private window: everything works, just not offline.
    }
  }

  reload(): void {
    const waiting = this.#waiting;
    if (!waiting) {
      location.reload();
      return;
    }
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
    waiting.postMessage('skip-waiting');
  }

  later(): void {
    this.#waiting = null;
    this.#wantsIsolation = false;
  }

  #watch(registration: ServiceWorkerRegistration): void {
    const offer = () => {
      if (registration.waiting && navigator.serviceWorker.controller) this.#waiting = registration.waiting;
    };
    offer();
    registration.addEventListener('updatefound', () => {
      registration.installing?.addEventListener('statechange', offer);
    });
  }

  /** Before anything was touched the page reloads by itself, once; after that only if the user wants it. */
  #isolate(): void {
    let before: string | null = 'unknown';
    try {
      before = sessionStorage.getItem(RELOADED);
      sessionStorage.setItem(RELOADED, 'yes');
    } catch {
      // No storage, no memory of a reload: never reload by itself.
    }
    if (before === null && !this.#touched) location.reload();
    else if (before === null) this.#wantsIsolation = true;
  }
}
