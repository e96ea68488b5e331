// Waiting in tests.

/** How long any single wait of a test may last, in milliseconds. Generous: sanitizer builds on a shared machine are slow. */
export const kWaitMs = Number(process.env.KILAT_WAIT_MS || 60_000);

/** Those who wait for something that changes; its owner calls `changed()`. Bounded by the waits of a test. */
export class Waiters {
  #checks = new Set();

  changed() {
    for (const check of [...this.#checks]) check();
  }

  /**
   * Resolves with the first truthy value of `probe`, asked now and after each change. Rejects with the text that `over`
   * gives, because nothing more can come, or after `timeout_ms` with that of `late`.
   */
  until(probe, { over, late, timeout_ms = kWaitMs }) {
    return new Promise((resolve, reject) => {
      const finish = (settle, value) => {
        clearTimeout(timer);
        this.#checks.delete(check);
        settle(value);
      };
      const check = () => {
        const value = probe();
        if (value) return finish(resolve, value);
        const why = over();
        if (why) finish(reject, new Error(why));
      };
      const timer = setTimeout(() => finish(reject, new Error(late())), timeout_ms);
      this.#checks.add(check);
      check();
    });
  }
}
