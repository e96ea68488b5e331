// A browser with tabs, as far as sharedConnection() sees it: Web Locks, BroadcastChannel, pages that go.
// Owner: the test. A tab that is killed says nothing, as one whose process died.
import { systemClock } from '../dist/clock.js';

export class FakeBrowser {
  #queues = new Map();
  #buses = new Set();
  #nextTab = 1;

  /** A tab's environment, with kill(), hide() and show() of its page. */
  tab({ clock = systemClock } = {}) {
    const tab = { alive: true, gone: [], back: [] };
    return {
      clock,
      randomId: () => `tab${this.#nextTab++}`,
      locks: {
        request: (name, options, callback) => this.#request(tab, name, options, callback),
        query: async () => ({
          held: [...this.#queues].filter(([, queue]) => queue[0]?.held).map(([name]) => ({ name })),
        }),
      },
      bus: (name) => this.#open(tab, name),
      watchPage(gone, back) {
        tab.gone.push(gone);
        tab.back.push(back);
        return () => {
          tab.gone.length = tab.back.length = 0;
        };
      },
      hide: () => tab.gone.forEach((callback) => callback()),
      show: () => tab.back.forEach((callback) => callback()),
      kill: () => {
        tab.alive = false;
        for (const bus of this.#buses) if (bus.tab === tab) bus.close();
        for (const [name, queue] of this.#queues) {
          this.#queues.set(name, queue.filter((entry) => entry.tab !== tab));
          this.#grant(name);
        }
      },
    };
  }

  /** How many tabs hold or want a lock whose name ends so. */
  waiting(suffix) {
    return [...this.#queues].filter(([name]) => name.endsWith(suffix)).reduce((sum, [, queue]) => sum + queue.length, 0);
  }

  #request(tab, name, { signal }, callback) {
    return new Promise((resolve, reject) => {
      const entry = { tab, callback, resolve, reject, held: false };
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, [...queue, entry]);
      signal?.addEventListener('abort', () => {
        if (entry.held) return;
        this.#drop(name, entry);
        reject(Object.assign(new Error('aborted'), { name: 'AbortError' }));
      });
      setImmediate(() => this.#grant(name));
    });
  }

  #grant(name) {
    const [first] = this.#queues.get(name) ?? [];
    if (!first || first.held) return;
    first.held = true;
    Promise.resolve(first.callback()).then(first.resolve, first.reject).finally(() => this.#drop(name, first));
  }

  #drop(name, entry) {
    this.#queues.set(name, (this.#queues.get(name) ?? []).filter((one) => one !== entry));
    this.#grant(name);
  }

  #open(tab, name) {
    const buses = this.#buses;
    const bus = {
      tab,
      onmessage: null,
      postMessage(message) {
        if (!buses.has(bus)) return;
        const copy = JSON.stringify(message) && structuredClone(message);
        for (const other of buses) {
          if (other === bus || other.name !== name) continue;
          setImmediate(() => buses.has(other) && other.onmessage?.({ data: structuredClone(copy) }));
        }
      },
      close: () => void buses.delete(bus),
      name,
    };
    buses.add(bus);
    return bus;
  }
}
