// The tabs of one name: elects the one that leads, carries messages between it and the others, and notices when a tab
// has gone, by locks that the browser gives back when a tab ends in whatever way.
//
// Owner: one for each sharedConnection(), from start() to stop(). Bounded by the number of tabs. Knows nothing of what
// the messages say: `Ask` goes from a tab to the leader, `Tell` from the leader to tabs.
import type { Bus, Environment } from './environment.js';

/** What the leading tab does for all; made when a tab begins to lead. */
export interface Leading<Ask> {
  ask(tab: string, body: Ask): void;
  /** A tab has gone. */
  gone(tab: string): void;
  /** All tabs that were there at the election have spoken, or had their time. */
  gathered(): void;
  stop(): void;
}

/** Sends from the leading tab; to all tabs, itself included, unless one is named. */
export interface Desk<Tell> {
  readonly self: string;
  tell(body: Tell, to?: string): void;
  tellOthers(body: Tell, but: string): void;
}

export interface Roles<Ask, Tell> {
  lead(desk: Desk<Tell>): Leading<Ask>;
  /** There is a leader, or another one than before: the tab says what it holds. */
  onLeader(): void;
  onTell(body: Tell): void;
}

type Wire<Ask, Tell> =
  | { kind: 'who'; from: string }
  | { kind: 'lead'; from: string }
  | { kind: 'ask'; from: string; to: string; body: Ask }
  | { kind: 'tell'; from: string; to?: string | undefined; but?: string | undefined; body: Tell }
  | { kind: 'bye'; from: string };

/** One tab's membership, from coming to going. A page that comes back from the browser's cache makes a new one. */
export class TabGroup<Ask, Tell> {
  readonly id: string;
  readonly #name: string;
  readonly #environment: Environment;
  readonly #roles: Roles<Ask, Tell>;
  readonly #gatherMs: number;
  readonly #going = new AbortController();
  #bus: Bus | null = null;
  #leader: string | null = null;
  #leading: Leading<Ask> | null = null;
  /** Tabs that the leader has heard of, and whose end it waits for. */
  readonly #known = new Set<string>();
  /** Tabs that the leader waits for before it begins; null when it has begun. */
  #awaited: Set<string> | null = null;
  #gatherTimer: unknown = null;
  #release: () => void = () => {};

  constructor(name: string, environment: Environment, roles: Roles<Ask, Tell>, gatherMs: number) {
    this.id = environment.randomId();
    this.#name = name;
    this.#environment = environment;
    this.#roles = roles;
    this.#gatherMs = gatherMs;
  }

  get leading(): boolean {
    return this.#leading !== null;
  }

  /** Whether there is somebody to ask. */
  get led(): boolean {
    return this.#leader !== null;
  }

  start(): void {
    const { locks, bus } = this.#environment;
    if (!locks || !bus) {
      this.#lead();
      this.#begin();
      return;
    }
    this.#bus = bus(this.#name);
    this.#bus.onmessage = ({ data }) => this.#onWire(data as Wire<Ask, Tell>);
    const until = new Promise<void>((resolve) => {
      this.#release = resolve;
    });
    const { signal } = this.#going;
    // A tab's own lock comes first: without it the leader would take the tab for gone.
    const own = locks.request(this.#lockOf(this.id), { signal }, () => {
      this.#post({ kind: 'who', from: this.id });
      locks.request(this.#name, { signal }, async () => {
        if (signal.aborted) return;
        const before = this.#leader;
        this.#lead();
        void this.#gather(before);
        await until;
      }).catch(ignoreAbort);
      return until;
    });
    own.catch(ignoreAbort);
  }

  /** Leaves: the next tab leads at once. */
  stop(): void {
    if (this.#going.signal.aborted) return;
    this.#going.abort();
    const leading = this.#leading;
    this.#leading = null;
    this.#leader = null;
    if (this.#gatherTimer !== null) this.#environment.clock.clearTimeout(this.#gatherTimer);
    leading?.stop();
    this.#post({ kind: 'bye', from: this.id });
    this.#release();
    this.#bus?.close();
    this.#bus = null;
  }

  /** Sends to the leader; false when there is none at present. */
  ask(body: Ask): boolean {
    if (this.#leading) this.#onAsk(this.id, body);
    else if (this.#leader !== null) this.#post({ kind: 'ask', from: this.id, to: this.#leader, body });
    else return false;
    return true;
  }

  #lockOf(tab: string): string {
    return `${this.#name}:tab:${tab}`;
  }

  #post(message: Wire<Ask, Tell>): void {
    this.#bus?.postMessage(message);
  }

  #lead(): void {
    this.#awaited = new Set([this.id]);
    const send = (body: Tell, to?: string, but?: string): void => {
      if (this.#going.signal.aborted) return;
      if (to !== this.id) this.#post({ kind: 'tell', from: this.id, to, but, body });
      if ((to === undefined || to === this.id) && but !== this.id) this.#roles.onTell(body);
    };
    this.#leading = this.#roles.lead({
      self: this.id,
      tell: (body, to) => send(body, to),
      tellOthers: (body, but) => send(body, undefined, but),
    });
    this.#leader = this.id;
    this.#post({ kind: 'lead', from: this.id });
    this.#roles.onLeader();
  }

  /** Waits until each tab has said what it holds, so that a channel is taken up where the last of them was. */
  async #gather(before: string | null): Promise<void> {
    const prefix = this.#lockOf('');
    const { held } = (await this.#environment.locks?.query().catch(() => null)) ?? {};
    if (!this.#leading || !this.#awaited) return;
    for (const { name } of held ?? []) {
      const tab = name?.startsWith(prefix) ? name.slice(prefix.length) : '';
      // The leader before has gone, although its own lock may have been given back a moment later.
      if (tab && tab !== this.id && tab !== before && !this.#known.has(tab)) this.#awaited.add(tab);
    }
    this.#gatherTimer = this.#environment.clock.setTimeout(() => this.#begin(), this.#gatherMs);
    this.#heard(this.id);
  }

  #heard(tab: string): void {
    if (!this.#awaited?.delete(tab)) return;
    if (this.#awaited.size === 0) this.#begin();
  }

  #begin(): void {
    if (!this.#awaited) return;
    this.#awaited = null;
    if (this.#gatherTimer !== null) this.#environment.clock.clearTimeout(this.#gatherTimer);
    this.#gatherTimer = null;
    this.#leading?.gathered();
  }

  #onWire(message: Wire<Ask, Tell>): void {
    switch (message.kind) {
      case 'who':
        if (this.#leading) this.#post({ kind: 'lead', from: this.id });
        break;
      case 'lead':
        if (this.#leading || this.#leader === message.from) break;
        this.#leader = message.from;
        this.#roles.onLeader();
        break;
      case 'ask':
        if (this.#leading && message.to === this.id) this.#onAsk(message.from, message.body);
        break;
      case 'tell':
        if ((message.to ?? this.id) === this.id && message.but !== this.id) this.#roles.onTell(message.body);
        break;
      case 'bye':
        // Whoever leads next says so; until then what this tab wants to say is kept.
        if (this.#leader === message.from) this.#leader = null;
        this.#forget(message.from);
        break;
    }
  }

  #onAsk(tab: string, body: Ask): void {
    if (tab !== this.id && !this.#known.has(tab)) this.#watch(tab);
    this.#leading?.ask(tab, body);
    // The leader's own first word comes from within its election, before it is known whom to wait for.
    if (tab !== this.id) this.#heard(tab);
  }

  /** The lock of a tab can be had only once the tab has gone. */
  #watch(tab: string): void {
    this.#known.add(tab);
    const { locks } = this.#environment;
    locks?.request(this.#lockOf(tab), { signal: this.#going.signal }, async () => this.#forget(tab)).catch(ignoreAbort);
  }

  #forget(tab: string): void {
    if (!this.#leading) return;
    if (this.#known.delete(tab)) this.#leading.gone(tab);
    this.#heard(tab);
  }
}

/** A request that is waiting when the tab leaves ends so; the lock is not wanted any more. */
function ignoreAbort(error: unknown): void {
  if ((error as { name?: string } | null)?.name !== 'AbortError') throw error;
}
