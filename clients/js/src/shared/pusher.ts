// pusher-js, shared by the tabs of a browser: a client that looks like pusher-js, whose connection is that of the
// leading tab. Fits Echo as its `client`.
//
// Owner: the page, until close(). One entry for each channel that this tab subscribes.
import type { Handler, PusherLike } from '../peers.js';
import type { Recovery } from '../recovery.js';
import type { Position } from '../recovery/position.js';
import { SharedClient, type ResolvedOptions, type SharedAdapter, type SharedState } from './client.js';
import { Handlers } from './handlers.js';
import type { Desk, Leading } from './group.js';
import { PusherLeader } from './pusher_leader.js';
import type { MembersPicture, PusherAsk, PusherTell } from './pusher_wire.js';

export interface PusherAdapterOptions {
  /**
   * Has a take-over lose and double nothing, on channels with history:
   * `recovery: (pusher) => withRecovery(pusher)`.
   */
  recovery?: (pusher: PusherLike) => Recovery;
}

/** The members of a presence channel, as pusher-js's `Members`. */
export class SharedMembers implements MembersPicture {
  members: Record<string, unknown> = {};
  count = 0;
  myID: string | null = null;

  get me(): { id: string; info: unknown } | null {
    return this.myID === null ? null : this.get(this.myID);
  }

  get(id: string): { id: string; info: unknown } | null {
    return Object.hasOwn(this.members, id) ? { id, info: this.members[id] } : null;
  }

  each(callback: (member: { id: string; info: unknown }) => void): void {
    for (const [id, info] of Object.entries(this.members)) callback({ id, info });
  }
}

/** A channel of a SharedPusher, with the methods of pusher-js's. */
export class SharedChannel {
  readonly name: string;
  subscribed = false;
  /** Only presence channels have them. */
  readonly members: SharedMembers | undefined;
  readonly #pusher: SharedPusher;
  readonly #handlers = new Handlers();
  /** The last event seen; null where the channel has no history. */
  #position: Position | null = null;

  constructor(name: string, pusher: SharedPusher) {
    this.name = name;
    this.#pusher = pusher;
    this.members = name.startsWith('presence-') ? new SharedMembers() : undefined;
  }

  bind(event: string, callback: Handler, context?: unknown): this {
    this.#handlers.add(event, context === undefined ? callback : callback.bind(context));
    return this;
  }

  unbind(event?: string, callback?: Handler): this {
    this.#handlers.remove(event, callback);
    return this;
  }

  bind_global(callback: Handler): this {
    this.#handlers.addGlobal(callback);
    return this;
  }

  unbind_global(callback?: Handler): this {
    this.#handlers.removeGlobal(callback);
    return this;
  }

  unbind_all(): this {
    this.#handlers.remove();
    this.#handlers.removeGlobal();
    return this;
  }

  /**
   * Sends a client event through the leading tab; the other tabs get it too. False when too many wait for a leader.
   * @throws Error for a name that does not begin with "client-", DOMException for data that cannot be copied.
   */
  trigger(event: string, data: unknown): boolean {
    if (!event.startsWith('client-')) throw new Error(`Event '${event}' does not start with 'client-'`);
    return this.#pusher.sendTrigger(this.name, event, data);
  }

  /** Where this tab is in the channel's history; null when that is not known. */
  get position(): Position | null {
    return this.#position;
  }

  /** For SharedPusher: takes what the leading tab tells of this channel. */
  take(body: Exclude<PusherTell, { kind: 'state' }>): void {
    if (body.kind === 'joined') this.#onJoined(body);
    else if (this.subscribed || body.event === 'pusher:subscription_error') this.#onEvent(body);
  }

  #onJoined({ data, position, late }: Extract<PusherTell, { kind: 'joined' }>): void {
    const mine = this.#position;
    // A tab that is ahead of the leader at a take-over stays there, and keeps back what it has seen.
    const ahead = mine && position && mine.epoch === position.epoch && mine.offset > position.offset;
    if (!ahead) this.#position = position;
    this.subscribed = true;
    if (this.members) Object.assign(this.members, data);
    this.#handlers.call('pusher:subscription_succeeded', this.members ?? data);
    if (!late || !mine || (position?.epoch === mine.epoch && position.offset <= mine.offset)) return;
    // A page that slept in the browser's cache, or was not heard in time at a take-over.
    this.#handlers.call('kilat:not_recovered', { channel: this.name, reason: 'tab_late' });
  }

  #onEvent({ event, data, meta, position }: Extract<PusherTell, { kind: 'event' }>): void {
    if (position) {
      if (this.#position?.epoch === position.epoch && position.offset <= this.#position.offset) return;
      this.#position = position;
    }
    const member = data as { id?: string; info?: unknown } | undefined;
    if (this.members && typeof member?.id === 'string') this.#countMember(event, member.id, member.info);
    if (meta === undefined) this.#handlers.call(event, data);
    else this.#handlers.call(event, data, meta);
  }

  #countMember(event: string, id: string, info: unknown): void {
    const { members } = this.members!;
    if (event === 'pusher:member_added') this.members!.members = { ...members, [id]: info };
    else if (event === 'pusher:member_removed') delete members[id];
    else return;
    this.members!.count = Object.keys(this.members!.members).length;
  }
}

/** Made by sharedConnection() with pusherAdapter(). */
export class SharedPusher extends SharedClient<PusherAsk, PusherTell> {
  /** As pusher-js has it. */
  readonly channels = { channels: Object.create(null) as Record<string, SharedChannel> };
  /** The events "state_change" and those named like the states, as pusher-js has them. */
  readonly connection: SharedPusherConnection;
  readonly #openPusher: () => PusherLike;
  readonly #adapter: PusherAdapterOptions;

  constructor(options: ResolvedOptions, open: () => PusherLike, adapter: PusherAdapterOptions) {
    super(options);
    this.#openPusher = open;
    this.#adapter = adapter;
    this.connection = new SharedPusherConnection(this);
    this.begin();
  }

  channel(name: string): SharedChannel | undefined {
    return this.channels.channels[name];
  }

  allChannels(): SharedChannel[] {
    return Object.values(this.channels.channels);
  }

  subscribe(name: string): SharedChannel {
    const { channels } = this.channels;
    const known = channels[name];
    if (known) return known;
    const channel = new SharedChannel(name, this);
    channels[name] = channel;
    this.mention({ kind: 'hold', channel: name, position: null });
    return channel;
  }

  /** Other tabs that hold the channel keep it. */
  unsubscribe(name: string): void {
    const channel = this.channels.channels[name];
    if (!channel) return;
    channel.subscribed = false;
    delete this.channels.channels[name];
    this.mention({ kind: 'release', channel: name });
  }

  /** Leaves, as close() does: what Echo calls. */
  disconnect(): void {
    this.close();
  }

  /** For SharedChannel. */
  sendTrigger(channel: string, event: string, data: unknown): boolean {
    return this.ask({ kind: 'trigger', channel, event, data });
  }

  protected override lead(desk: Desk<PusherTell>): Leading<PusherAsk> {
    const pusher = this.#openPusher();
    return new PusherLeader(desk, pusher, this.#adapter.recovery?.(pusher) ?? null);
  }

  protected override holds(): PusherAsk {
    return { kind: 'holds', channels: this.allChannels().map((channel) => [channel.name, channel.position]) };
  }

  protected override told(body: PusherTell): void {
    if (body.kind === 'state') this.setState(body.state);
    else this.channels.channels[body.channel]?.take(body);
  }

  protected override leaderLost(): void {
    // Nobody waits for an answer; channels stay as they are, until the next leader has subscribed them.
  }
}

/** What pages use of pusher-js's `connection`. */
export class SharedPusherConnection {
  readonly #pusher: SharedPusher;
  readonly #handlers = new Handlers();

  constructor(pusher: SharedPusher) {
    this.#pusher = pusher;
    let previous = pusher.state.state;
    pusher.onState(({ state, id }: SharedState) => {
      if (state === previous) return;
      const before = previous;
      previous = state;
      this.#handlers.call('state_change', { previous: before, current: state });
      this.#handlers.call(state, id === '' ? undefined : { socket_id: id });
    });
  }

  get state(): string {
    return this.#pusher.state.state;
  }

  get socket_id(): string {
    return this.#pusher.state.id;
  }

  bind(event: string, callback: Handler): this {
    this.#handlers.add(event, callback);
    return this;
  }

  unbind(event?: string, callback?: Handler): this {
    this.#handlers.remove(event, callback);
    return this;
  }
}

/** Shares a pusher-js client. `open` makes it, in the leading tab only: `() => new Pusher(key, options)`. */
export function pusherAdapter(open: () => PusherLike, options: PusherAdapterOptions = {}): SharedAdapter<SharedPusher> {
  return { open: (resolved) => new SharedPusher(resolved, open, options) };
}
