// A socket.io-client socket, shared by the tabs of a browser: on, off and emit as usual, over the connection of the
// leading tab.
//
// Owner: the page, until close(). Bounded: rooms that this tab holds, 1000 calls that wait for their answer, 200 offsets.
import type { Handler, SocketLike } from '../peers.js';
import { SharedClient, type ResolvedOptions, type SharedAdapter } from './client.js';
import { Handlers } from './handlers.js';
import type { Desk, Leading } from './group.js';
import { SocketLeader } from './socket_leader.js';
import {
  afterAnswer, afterEvent, kSubscribe, kUnsubscribe, placeOf, positionOf, roomOf, type Session, type SocketAsk, type SocketTell,
} from './socket_wire.js';

/** Calls that wait for their answer; the oldest is given up for a further one. */
const kCallsMax = 1000;
/** Events by whose offset a repetition is known: those of a take-over are fewer. */
const kOffsetsMax = 200;

interface Call {
  ask: SocketAsk;
  done(args: unknown[]): void;
  lost(): void;
}

/** Made by sharedConnection() with socketAdapter(). */
export class SharedSocket extends SharedClient<SocketAsk, SocketTell> {
  readonly #open: () => SocketLike;
  readonly #handlers = new Handlers();
  readonly #rooms = new Map<string, unknown>();
  readonly #calls = new Map<number, Call>();
  readonly #offsets = new Set<string>();
  #nextCall = 1;
  #session: Session | null = null;
  #joined: string[] = [];
  /** Whether the last connection went on where the one before had ended. */
  recovered = false;

  constructor(options: ResolvedOptions, open: () => SocketLike) {
    super(options);
    this.#open = open;
    this.begin();
  }

  get connected(): boolean {
    return this.state.state === 'connected';
  }

  get id(): string | undefined {
    return this.state.id === '' ? undefined : this.state.id;
  }

  /** Events of the server, and "connect", "disconnect", "connect_error". */
  on(event: string, callback: Handler): this {
    this.#handlers.add(event, callback);
    return this;
  }

  off(event?: string, callback?: Handler): this {
    this.#handlers.remove(event, callback);
    return this;
  }

  onAny(callback: Handler): this {
    this.#handlers.addGlobal(callback);
    return this;
  }

  offAny(callback?: Handler): this {
    this.#handlers.removeGlobal(callback);
    return this;
  }

  /**
   * Sends through the leading tab. A function at the end takes the acknowledgement; it is not called when the leading
   * tab goes before it comes. `subscribe` and `unsubscribe` hold and release a room for this tab.
   */
  emit(event: string, ...args: unknown[]): this {
    const last = args.at(-1);
    if (typeof last !== 'function') {
      this.#send(event, args);
      return this;
    }
    this.#send(event, args.slice(0, -1), (values) => void (last as Handler)(...values), () => {});
    return this;
  }

  /** As emit; rejects when the leading tab goes before the answer comes, or when too much waits. */
  emitWithAck(event: string, ...args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const lost = (): void => reject(new Error('the connection went before the answer came'));
      if (!this.#send(event, args, ([value]) => resolve(value), lost)) lost();
    });
  }

  protected override lead(desk: Desk<SocketTell>): Leading<SocketAsk> {
    return new SocketLeader(desk, this.#open);
  }

  protected override holds(): SocketAsk {
    return { kind: 'holds', rooms: [...this.#rooms], session: this.#session, joined: this.#joined };
  }

  protected override told(body: SocketTell): void {
    switch (body.kind) {
      case 'state':
        this.#onState(body);
        break;
      case 'event':
        this.#onEvent(body);
        break;
      case 'rooms':
        this.#joined = body.joined;
        break;
      case 'error':
        this.#handlers.call('connect_error', new Error(body.message));
        break;
      case 'answer': {
        const call = this.#calls.get(body.call);
        this.#calls.delete(body.call);
        if (call) this.#place(call.ask, body.args[0]);
        call?.done(body.args);
        break;
      }
      case 'lost': {
        const call = this.#calls.get(body.call);
        this.#calls.delete(body.call);
        call?.lost();
        break;
      }
    }
  }

  protected override leaderLost(waiting: readonly SocketAsk[]): void {
    for (const [number, call] of this.#calls) {
      if (waiting.includes(call.ask)) continue;
      this.#calls.delete(number);
      call.lost();
    }
  }

  #send(event: string, args: unknown[], done?: Call['done'], lost: Call['lost'] = () => {}): boolean {
    const room = roomOf(args[0]);
    if (room !== null && event === kSubscribe && !positionOf(this.#rooms.get(room))) this.#rooms.set(room, args[0]);
    if (room !== null && event === kUnsubscribe) this.#rooms.delete(room);
    const number = done ? this.#nextCall++ : null;
    const ask: SocketAsk = { kind: 'emit', event, args, call: number };
    if (done && number !== null) this.#remember(number, { ask, done, lost });
    const sent = this.ask(ask);
    if (!sent && number !== null) this.#calls.delete(number);
    return sent;
  }

  #remember(number: number, call: Call): void {
    if (this.#calls.size >= kCallsMax) {
      const [oldest] = this.#calls.keys();
      this.#calls.get(oldest!)?.lost();
      this.#calls.delete(oldest!);
    }
    this.#calls.set(number, call);
  }

  #onState({ state, recovered, session }: Extract<SocketTell, { kind: 'state' }>): void {
    const before = this.state;
    this.recovered = recovered;
    if (session) this.#session = { ...session, offset: session.offset ?? this.#session?.offset };
    this.setState(state);
    if (state.state === before.state && state.id === before.id) return;
    if (state.state === 'connected') this.#handlers.call('connect');
    else if (before.state === 'connected') this.#handlers.call('disconnect', 'transport close');
  }

  #onEvent({ event, args, session }: Extract<SocketTell, { kind: 'event' }>): void {
    if (session?.offset !== undefined) {
      if (this.#offsets.has(session.offset)) return;
      this.#offsets.add(session.offset);
      if (this.#offsets.size > kOffsetsMax) this.#offsets.delete(this.#offsets.values().next().value!);
    }
    if (session) this.#session = session;
    const place = placeOf(args);
    if (place && this.#rooms.has(place.channel)) {
      this.#rooms.set(place.channel, afterEvent(this.#rooms.get(place.channel), place.offset));
    }
    this.#handlers.call(event, ...args);
  }

  /** Notes where a room is, for the leader that comes next. */
  #place(ask: SocketAsk, answer: unknown): void {
    if (ask.kind !== 'emit' || ask.event !== kSubscribe) return;
    const room = roomOf(ask.args[0]);
    if (room !== null && this.#rooms.has(room)) this.#rooms.set(room, afterAnswer(this.#rooms.get(room), answer));
  }
}

/** Shares a socket of socket.io-client. `open` makes it, in the leading tab only: `() => io(url, options)`. */
export function socketAdapter(open: () => SocketLike): SharedAdapter<SharedSocket> {
  return { open: (resolved) => new SharedSocket(resolved, open) };
}
