/** @file The service worker from the page's side: registration, the offer of a new version, and isolation on hosts without headers. */
import { ownScript } from '#src/platform/ownScript.ts';
import { within } from '#src/platform/within.ts';

const RELOADED = 'rotune.reloadedForIsolation';
/** The longest that a service worker may take to be in charge, in milliseconds. */
const PATIENCE = 4000;

export class Offline {
  #waiting = $state.raw<ServiceWorker | null>(null);
  #wantsIsolation = $state(false);
  #touched = false;
  /** null: there is none, nor will be. */
  #registration: Promise<ServiceWorkerRegistration | null> = Promise.resolve(null);

  /** A new version is ready; the page should offer it when no run is going on. */
  get updateReady(): boolean {
    return this.#waiting !== null;
  }
  /** One reload would give wasm its threads; offered, since the user has begun something already. */
  get wantsIsolation(): boolean {
    return this.#wantsIsolation;
  }

  /** @param built whether the page is: only then is there a service worker */
  async register(built = import.meta.env.PROD): Promise<void> {
    if (!built || !('serviceWorker' in navigator)) return;
    const touch = () => (this.#touched = true);
    addEventListener('pointerdown', touch, { once: true });
    addEventListener('keydown', touch, { once: true });
    const hadController = navigator.serviceWorker.controller !== null;
    navigator.serviceWorker.addEventListener('controllerchange', () => {
      if (!hadController && !crossOriginIsolated) this.#isolate();
    });
    // Blocked by settings, a private window or the command: everything works, just not offline.
    this.#registration = navigator.serviceWorker
      .register(ownScript(new URL('service-worker.js', document.baseURI)), { updateViaCache: 'none' })
      .then((registration: ServiceWorkerRegistration | undefined) => registration ?? null)
      .catch(() => null);
    const registration = await this.#registration;
    if (registration) this.#watch(registration);
  }

  /** Resolves when the service worker is in charge, so that what is fetched is kept for offline use, or when none will be. */
  async inCharge(): Promise<void> {
    if (!('serviceWorker' in navigator) || navigator.serviceWorker.controller) return;
    const controlled = new Promise<void>((resolve) => {
      navigator.serviceWorker.addEventListener('controllerchange', () => resolve(), { once: true });
    });
    if (!(await this.#registration)) return;
    await within(PATIENCE, controlled, () => undefined);
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
