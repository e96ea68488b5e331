// When to draw: the animation frames of the page, or something that stands in for them.

/** Where frames come from. */
export interface Frames {
  /** Calls back once, before the next picture. */
  request(callback: () => void): unknown;
  cancel(handle: unknown): void;
  /** Whether nobody can see the page at present. */
  hidden(): boolean;
  /** Calls back whenever the page is seen again; returns the way to stop that. */
  onShown(callback: () => void): () => void;
  /** A clock for durations, in milliseconds. */
  now(): number;
}

/** Where there is no page, for example in Node: about 60 frames a second. */
const kFrameMs = 16;

/** The frames of this page. */
export function pageFrames(): Frames {
  const page = typeof document === 'undefined' ? null : document;
  const animated = typeof requestAnimationFrame === 'function';
  return {
    request: (callback) => (animated ? requestAnimationFrame(callback) : setTimeout(callback, kFrameMs)),
    cancel: (handle) => (animated ? cancelAnimationFrame(handle as number) : clearTimeout(handle as number)),
    hidden: () => page?.hidden ?? false,
    onShown(callback) {
      const listener = (): void => {
        if (!page?.hidden) callback();
      };
      page?.addEventListener('visibilitychange', listener);
      return () => page?.removeEventListener('visibilitychange', listener);
    },
    now: () => performance.now(),
  };
}
