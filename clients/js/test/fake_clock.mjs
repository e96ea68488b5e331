// Time that passes only when a test says so.

export class FakeClock {
  #now;
  #next = 1;
  #timers = new Map();

  constructor(now = 1_000_000) {
    this.#now = now;
  }

  now = () => this.#now;

  setTimeout = (callback, ms) => {
    const handle = this.#next++;
    this.#timers.set(handle, { at: this.#now + ms, callback });
    return handle;
  };

  clearTimeout = (handle) => void this.#timers.delete(handle);

  get pending() {
    return this.#timers.size;
  }

  /** Lets `ms` go by; timers run in the order of their times, and promises settle after each. */
  async advance(ms) {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = Math.max(this.#now, due[1].at);
      due[1].callback();
      await settled();
    }
    this.#now = end;
    await settled();
  }
}

/** Lets promises and microtasks run. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));
