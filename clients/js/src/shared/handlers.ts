// Handlers by event name, as pusher-js and socket.io-client have them. Bounded by who registers them.
import { report } from '../listeners.js';
import type { Handler } from '../peers.js';

/** One that throws does not keep the others from being called. */
export class Handlers {
  readonly #byEvent = new Map<string, Handler[]>();
  #global: Handler[] = [];

  add(event: string, handler: Handler): void {
    const handlers = this.#byEvent.get(event);
    if (handlers) handlers.push(handler);
    else this.#byEvent.set(event, [handler]);
  }

  addGlobal(handler: Handler): void {
    this.#global.push(handler);
  }

  /** Takes away what matches; left out matches everything. */
  remove(event?: string, handler?: Handler): void {
    for (const name of event === undefined ? [...this.#byEvent.keys()] : [event]) {
      const left = (this.#byEvent.get(name) ?? []).filter((one) => handler !== undefined && one !== handler);
      if (left.length > 0) this.#byEvent.set(name, left);
      else this.#byEvent.delete(name);
    }
  }

  removeGlobal(handler?: Handler): void {
    this.#global = handler === undefined ? [] : this.#global.filter((one) => one !== handler);
  }

  /** Calls those of all events with the name in front, then those of the event. */
  call(event: string, ...args: unknown[]): void {
    for (const handler of [...this.#global]) attempt(() => handler(event, ...args));
    for (const handler of [...(this.#byEvent.get(event) ?? [])]) attempt(() => handler(...args));
  }
}

function attempt(call: () => void): void {
  try {
    call();
  } catch (error) {
    report(error);
  }
}
