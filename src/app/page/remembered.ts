/** @file Small habits of the page that outlive a visit. Private windows may refuse: then they last as long as the page. */

export interface Remembered {
  read(): string | null;
  write(value: string): void;
}

const held = new Map<string, string>();

/** What is kept under a name. */
export function remembered(name: string): Remembered {
  const key = `rotune.${name}`;
  return {
    read() {
      try {
        return localStorage.getItem(key) ?? held.get(key) ?? null;
      } catch {
        return held.get(key) ?? null;
      }
    },
    write(value) {
      held.set(key, value);
      try {
        localStorage.setItem(key, value);
      } catch {
        // It lasts as long as the page.
      }
    },
  };
}
