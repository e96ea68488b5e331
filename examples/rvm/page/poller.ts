// What stands in for the socket while it is gone: the page asks the server every five seconds.
export const kPollEveryMs = 5000;

export class Poller {
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `ask` never rejects. */
  constructor(readonly ask: () => Promise<void>) {}

  get running(): boolean {
    return this.#timer !== undefined;
  }

  start(): void {
    if (this.running) return;
    this.#timer = setInterval(() => void this.ask(), kPollEveryMs);
    void this.ask();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
