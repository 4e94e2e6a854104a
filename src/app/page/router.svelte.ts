/** @file Which view is shown, in step with the address bar: back, forward, reload and bookmarks come this way. */
import { addressOf, HOME, parseRoute, type Route, routeTo, sameRoute } from './routes.ts';
import type { Screen } from './screens.ts';

/** The address bar, or in tests anything like it. */
export interface AddressBar {
  readonly hash: string;
  push(hash: string): void;
  replace(hash: string): void;
  /** Calls `heard` whenever the user changes it: back, forward, an address typed or followed. */
  listen(heard: () => void): void;
}

export class BrowserBar implements AddressBar {
  get hash(): string {
    return location.hash;
  }
  push(hash: string): void {
    history.pushState(null, '', location.pathname + location.search + hash);
  }
  replace(hash: string): void {
    history.replaceState(null, '', location.pathname + location.search + hash);
  }
  listen(heard: () => void): void {
    // Fires with every change of the hash, by back and forward too; ours by pushState are silent.
    addEventListener('popstate', heard);
  }
}

/** An address bar that nobody sees. */
export class MemoryBar implements AddressBar {
  #past: string[] = [''];
  #heard: () => void = () => undefined;

  get hash(): string {
    return this.#past.at(-1) ?? '';
  }
  push(hash: string): void {
    this.#past.push(hash);
  }
  replace(hash: string): void {
    this.#past.splice(-1, 1, hash);
  }
  listen(heard: () => void): void {
    this.#heard = heard;
  }
  back(): void {
    if (this.#past.length > 1) this.#past.pop();
    this.#heard();
  }
  type(hash: string): void {
    this.push(hash);
    this.#heard();
  }
}

export class Router {
  readonly #bar: AddressBar;
  #route = $state.raw<Route>(HOME);

  /** `arrive` hears of every view that the user comes to by the address, the first one included. */
  constructor(bar: AddressBar, arrive: (route: Route) => void) {
    this.#bar = bar;
    bar.listen(() => this.#read(arrive));
  }

  get route(): Route {
    return this.#route;
  }
  get screen(): Screen {
    return this.#route.screen;
  }

  /** Goes by the address that is there already. */
  begin(arrive: (route: Route) => void): void {
    this.#read(arrive);
  }

  go(screen: Screen, of = ''): void {
    const route = routeTo(screen, of);
    if (sameRoute(route, this.#route)) return;
    this.#route = route;
    this.#bar.push(addressOf(route));
  }

  /** Another address for what is shown, or another view in its place: back does not lead to the old one. */
  replace(screen: Screen, of = ''): void {
    this.#route = routeTo(screen, of);
    this.#bar.replace(addressOf(this.#route));
  }

  /** A view that was left, in place of what is shown. */
  restore(route: Route): void {
    this.#route = route;
    this.#bar.replace(addressOf(route));
  }

  #read(arrive: (route: Route) => void): void {
    const route = parseRoute(this.#bar.hash);
    if (!route) {
      this.replace('home');
      arrive(HOME);
      return;
    }
    if (sameRoute(route, this.#route)) {
      if (route.link !== '') arrive(route);
      return;
    }
    this.#route = route;
    arrive(route);
  }
}
