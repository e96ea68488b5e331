// What the shared clients of both kinds have in common: the tab's side of a shared connection.
import { Listeners } from '../listeners.js';
import type { Environment } from './environment.js';
import { TabGroup, type Desk, type Leading } from './group.js';

/** How one kind of client is shared. Made by pusherAdapter() or socketAdapter(). */
export interface SharedAdapter<Client> {
  open(options: ResolvedOptions): Client;
}

export interface ResolvedOptions {
  /** Tabs of one name (and origin) share. */
  name: string;
  gatherMs: number;
  environment: Environment;
}

/** The state of the one connection, as the leading tab sees it. */
export interface SharedState {
  /** The client's own word for it: pusher-js's `connection.state`; "connected" or "disconnected" for socket.io. */
  state: string;
  /** The id that the server knows the connection by; empty when there is none. */
  id: string;
}

/** How much a tab keeps while nobody leads; what comes then is refused. */
const kWaitingMax = 100;

/** Base of SharedPusher and SharedSocket. */
export abstract class SharedClient<Ask, Tell> {
  readonly #options: ResolvedOptions;
  readonly #stopWatching: () => void;
  readonly #states = new Listeners<SharedState>();
  #group: TabGroup<Ask, Tell> | null = null;
  #waiting: Ask[] = [];
  #state: SharedState = { state: 'disconnected', id: '' };

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#stopWatching = options.environment.watchPage(
      () => this.#leave(),
      () => this.#join(),
    );
  }

  /** Whether this tab has the connection. */
  get leading(): boolean {
    return this.#group?.leading ?? false;
  }

  /** The state of the connection. */
  get state(): SharedState {
    return this.#state;
  }

  /** Calls back at every change of the state; returns the way to end that. */
  onState(callback: (state: SharedState) => void): () => void {
    return this.#states.add(callback);
  }

  /** Leaves for good; another tab leads if this one did. */
  close(): void {
    this.#stopWatching();
    this.#leave();
    this.#states.clear();
  }

  protected abstract lead(desk: Desk<Tell>): Leading<Ask>;
  /** What this tab holds, said to each new leader before anything else. */
  protected abstract holds(): Ask;
  protected abstract told(body: Tell): void;
  /** The leader that was asked is lost to this tab: it answers no more. What is in `waiting` was not sent yet. */
  protected abstract leaderLost(waiting: readonly Ask[]): void;

  /** Joins the other tabs; called once the object is complete. */
  protected begin(): void {
    this.#join();
  }

  /** Sends to the leader, or keeps it until there is one. False when too much waits, or after close(). */
  protected ask(body: Ask): boolean {
    if (!this.#group) return false;
    if (this.#group.ask(body)) return true;
    if (this.#waiting.length >= kWaitingMax) return false;
    this.#waiting.push(body);
    return true;
  }

  /** Tells the leader that there is, if any; a leader that comes later hears it from holds(). */
  protected mention(body: Ask): void {
    this.#group?.ask(body);
  }

  protected setState(state: SharedState): void {
    if (state.state === this.#state.state && state.id === this.#state.id) return;
    this.#state = state;
    this.#states.call(state);
  }

  #join(): void {
    if (this.#group) return;
    const { name, environment, gatherMs } = this.#options;
    const group: TabGroup<Ask, Tell> = new TabGroup<Ask, Tell>(
      name,
      environment,
      { lead: (desk) => this.lead(desk), onLeader: () => this.#onLeader(group), onTell: (body) => this.told(body) },
      gatherMs,
    );
    this.#group = group;
    group.start();
  }

  #onLeader(group: TabGroup<Ask, Tell>): void {
    this.leaderLost(this.#waiting);
    group.ask(this.holds());
    for (const body of this.#waiting.splice(0)) group.ask(body);
  }

  #leave(): void {
    const group = this.#group;
    if (!group) return;
    this.#group = null;
    this.#waiting = [];
    group.stop();
    this.leaderLost([]);
    this.setState({ state: 'disconnected', id: '' });
  }
}
