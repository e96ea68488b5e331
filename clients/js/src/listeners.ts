// Callbacks that are called in the order in which they came. Bounded by who registers them.

/** A set of callbacks of one kind. One that throws does not keep the next ones from being called. */
export class Listeners<Value> {
  readonly #all = new Set<(value: Value) => void>();

  /** Returns the way to take the callback away again. */
  add(callback: (value: Value) => void): () => void {
    // A wrapper of its own, so that the same callback may be there twice and be taken away once.
    const own = (value: Value): void => callback(value);
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  call(value: Value): void {
    for (const callback of [...this.#all]) {
      try {
        callback(value);
      } catch (error) {
        report(error);
      }
    }
  }

  clear(): void {
    this.#all.clear();
  }
}

/** Lets an error of the application surface as uncaught, without ending what was under way. */
export function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
