// The leading tab's side of a shared pusher-js client: holds the one connection, subscribes what any tab wants, and
// tells all tabs what comes.
//
// Owner: the TabGroup of the leading tab, from its election to its end. One entry for each channel that a tab holds.
import type { PusherChannel, PusherLike } from '../peers.js';
import type { Recovery } from '../recovery.js';
import type { Position } from '../recovery/position.js';
import type { Desk, Leading } from './group.js';
import type { MembersPicture, PusherAsk, PusherTell } from './pusher_wire.js';

const kSucceeded = 'pusher:subscription_succeeded';

interface Held {
  tabs: Set<string>;
  /** Where the tab that is furthest behind has come to; only until the channel is subscribed. */
  position: Position | null;
  channel: PusherChannel | null;
  /** What the last answer to a subscribe said; undefined while there is none. */
  data: unknown;
}

export class PusherLeader implements Leading<PusherAsk> {
  readonly #desk: Desk<PusherTell>;
  readonly #pusher: PusherLike;
  readonly #recovery: Recovery | null;
  readonly #held = new Map<string, Held>();
  readonly #stops: (() => void)[] = [];
  /** Before, holds are only noted down. */
  #gathered = false;

  constructor(desk: Desk<PusherTell>, pusher: PusherLike, recovery: Recovery | null) {
    this.#desk = desk;
    this.#pusher = pusher;
    this.#recovery = recovery;
    const onState = (): void => this.#tellState();
    pusher.connection.bind('state_change', onState);
    this.#stops.push(() => void pusher.connection.unbind('state_change', onState));
    this.#tellState();
  }

  ask(tab: string, body: PusherAsk): void {
    switch (body.kind) {
      case 'holds':
        this.#tellState(tab);
        for (const [channel, position] of body.channels) this.#hold(tab, channel, position);
        break;
      case 'hold':
        this.#hold(tab, body.channel, body.position);
        break;
      case 'release':
        this.#release(tab, body.channel);
        break;
      case 'trigger':
        this.#trigger(tab, body.channel, body.event, body.data);
        break;
    }
  }

  gone(tab: string): void {
    for (const channel of [...this.#held.keys()]) this.#release(tab, channel);
  }

  gathered(): void {
    this.#gathered = true;
    for (const [name, held] of this.#held) this.#subscribe(name, held);
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#held.clear();
    this.#recovery?.stop();
    this.#pusher.disconnect();
  }

  #tellState(tab?: string): void {
    const { state, socket_id } = this.#pusher.connection;
    const id = state === 'connected' ? socket_id : '';
    this.#desk.tell({ kind: 'state', state: { state, id } }, tab);
  }

  #hold(tab: string, name: string, position: Position | null): void {
    let held = this.#held.get(name);
    if (!held) {
      held = { tabs: new Set(), position: null, channel: null, data: undefined };
      this.#held.set(name, held);
    }
    held.tabs.add(tab);
    if (!held.channel) {
      held.position = earlier(held.position, position);
      if (this.#gathered) this.#subscribe(name, held);
    } else if (held.channel.subscribed) {
      this.#tellJoined(name, held, tab);
    } else {
      // Its subscription is under way, or was refused and is tried once more.
      this.#pusher.subscribe(name);
    }
  }

  #release(tab: string, name: string): void {
    const held = this.#held.get(name);
    if (!held?.tabs.delete(tab) || held.tabs.size > 0) return;
    this.#held.delete(name);
    if (held.channel) this.#pusher.unsubscribe(name);
  }

  #subscribe(name: string, held: Held): void {
    // What the factory has subscribed by itself knows its place.
    if (held.position && this.#recovery && !this.#pusher.channel(name)) this.#recovery.setPosition(name, held.position);
    const channel = this.#pusher.subscribe(name);
    held.channel = channel;
    // Of all ways to listen only `emit` shows who sent a client event, and comes after an encrypted one was opened.
    const emit = channel.emit;
    channel.emit = (event, data, meta) => {
      if (this.#held.get(name) === held) this.#onEvent(name, held, event, data, meta);
      return meta === undefined ? emit.call(channel, event, data) : emit.call(channel, event, data, meta);
    };
    // The factory may have subscribed it before.
    if (channel.subscribed) this.#tellJoined(name, held);
  }

  #onEvent(name: string, held: Held, event: string, data: unknown, meta: unknown): void {
    if (event === kSucceeded) {
      held.data = data;
      this.#tellJoined(name, held);
      return;
    }
    const delivering = this.#recovery?.delivering;
    this.#desk.tell({
      kind: 'event',
      channel: name,
      event,
      data,
      ...(meta === undefined ? {} : { meta }),
      ...(delivering?.channel === name ? { position: delivering.position } : {}),
    });
  }

  #tellJoined(name: string, held: Held, tab?: string): void {
    const data = membersOf(held.channel) ?? held.data;
    const position = this.#recovery?.position(name) ?? null;
    this.#desk.tell({ kind: 'joined', channel: name, data, position, late: tab !== undefined }, tab);
  }

  #trigger(tab: string, name: string, event: string, data: unknown): void {
    const channel = this.#held.get(name)?.channel;
    if (!channel?.subscribed || !channel.trigger(event, data)) return;
    // The server leaves out the connection that an event came from, which the other tabs share with the one that sent it.
    const me = membersOf(channel)?.myID;
    this.#desk.tellOthers({ kind: 'event', channel: name, event, data, ...(me ? { meta: { user_id: me } } : {}) }, tab);
  }
}

/** Of the tabs' places the one from which no tab misses anything; those of another epoch than the first are lost anyway. */
function earlier(a: Position | null, b: Position | null): Position | null {
  if (!a || !b) return a ?? b;
  return a.epoch === b.epoch && b.offset < a.offset ? b : a;
}

function membersOf(channel: PusherChannel | null): MembersPicture | null {
  const members = (channel as { members?: Partial<MembersPicture> } | null)?.members;
  if (!members?.members) return null;
  return { members: { ...members.members }, count: members.count ?? 0, myID: members.myID ?? null };
}
