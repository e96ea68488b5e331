// What several tabs have in common: locks and a channel between them. Replaceable, so that tests can be many tabs at once.
import { systemClock, type Clock } from '../clock.js';

/** The part of the Web Locks interface that is used. A lock is held until the promise of its callback settles. */
export interface Locks {
  request(name: string, options: { signal?: AbortSignal }, callback: () => Promise<void>): Promise<unknown>;
  query(): Promise<{ held?: readonly { name?: string | undefined }[] | undefined }>;
}

/** The part of BroadcastChannel that is used: what one end posts comes to all others of the name, in order. */
export interface Bus {
  postMessage(message: unknown): void;
  close(): void;
  onmessage: ((event: { data: unknown }) => void) | null;
}

export interface Environment {
  /** Null where a tab can only stand alone. */
  locks: Locks | null;
  bus: ((name: string) => Bus) | null;
  clock: Clock;
  randomId(): string;
  /** Calls back when the page goes, and when it comes back from the browser's cache; returns the way to end that. */
  watchPage(gone: () => void, back: () => void): () => void;
}

/** This page. Web Locks need a secure context: https, or localhost. */
export function pageEnvironment(): Environment {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks;
  return {
    locks: locks ? (locks as unknown as Locks) : null,
    bus: typeof BroadcastChannel === 'function' ? (name) => new BroadcastChannel(name) as unknown as Bus : null,
    clock: systemClock,
    // Tells the tabs of one browser apart, and is no secret. (`crypto` is not everywhere: it is missing in Node 18.)
    randomId: () => `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`,
    watchPage(gone, back) {
      if (typeof globalThis.addEventListener !== 'function') return () => {};
      const shown = (event: PageTransitionEvent): void => {
        if (event.persisted) back();
      };
      globalThis.addEventListener('pagehide', gone);
      globalThis.addEventListener('pageshow', shown);
      return () => {
        globalThis.removeEventListener('pagehide', gone);
        globalThis.removeEventListener('pageshow', shown);
      };
    },
  };
}
