// The leading tab's side of a shared socket.io-client socket: holds the one connection, joins the rooms that any tab
// wants, and tells all tabs what comes.
//
// Owner: the TabGroup of the leading tab, from its election to its end. One entry for each room that a tab holds, at most
// 100 emits that wait for the election to be complete.
import type { SocketLike } from '../peers.js';
import type { Desk, Leading } from './group.js';
import {
  afterAnswer, afterEvent, kSubscribe, kUnsubscribe, placeOf, positionOf, roomOf, wantsHistory, type Session, type SocketAsk,
  type SocketTell,
} from './socket_wire.js';

type Emit = Extract<SocketAsk, { kind: 'emit' }>;

const kEarlyMax = 100;

/** The names under which socket.io-client 4.6 and later keeps what recovery needs. */
interface Recoverable {
  _pid?: string | undefined;
  _lastOffset?: string | undefined;
}

interface Room {
  tabs: Set<string>;
  /** With the place that it is to be joined again from, when it is held with its history. */
  argument: unknown;
}

export class SocketLeader implements Leading<SocketAsk> {
  readonly #desk: Desk<SocketTell>;
  readonly #open: () => SocketLike;
  readonly #rooms = new Map<string, Room>();
  #socket: SocketLike | null = null;
  #session: Session | null = null;
  /** The rooms that the server has the session in. A recovered one may be in some that nobody holds any more. */
  #joined = new Set<string>();
  #early: [string, Emit][] = [];

  constructor(desk: Desk<SocketTell>, open: () => SocketLike) {
    this.#desk = desk;
    this.#open = open;
  }

  ask(tab: string, body: SocketAsk): void {
    if (body.kind === 'emit') {
      if (this.#socket) this.#emit(this.#socket, tab, body);
      else if (this.#early.length < kEarlyMax) this.#early.push([tab, body]);
      else if (body.call !== null) this.#desk.tell({ kind: 'lost', call: body.call }, tab);
      return;
    }
    for (const [room, argument] of body.rooms) this.#hold(tab, room, argument);
    if (this.#socket) {
      this.#tellState(tab);
      this.#joinHeld(this.#socket);
    } else if (!this.#session && body.session) {
      // The leading tab's own word comes first. What it missed, all missed, because each event goes to all at once.
      this.#session = body.session;
      this.#joined = new Set(body.joined);
    }
  }

  gone(tab: string): void {
    for (const [name, room] of this.#rooms) {
      if (room.tabs.delete(tab) && room.tabs.size === 0) this.#rooms.delete(name);
    }
    if (this.#socket) this.#leaveOthers(this.#socket);
  }

  /** Only now, because a socket says at once whether it wants to be recovered. */
  gathered(): void {
    const socket = this.#open();
    this.#socket = socket;
    if (this.#session && !socket.connected) {
      Object.assign(socket as Recoverable, { _pid: this.#session.pid, _lastOffset: this.#session.offset });
    }
    socket.on('connect', () => this.#onConnect(socket));
    socket.on('disconnect', () => this.#tellState());
    socket.on('connect_error', (error: Error) => {
      // The tabs go on as connected by the leader before, until it is known that this one is not.
      this.#tellState();
      this.#desk.tell({ kind: 'error', message: error.message });
    });
    socket.onAny((event: string, ...args: unknown[]) => this.#onEvent(socket, event, args));
    if (socket.connected) this.#onConnect(socket);
    for (const [tab, body] of this.#early.splice(0)) this.#emit(socket, tab, body);
  }

  stop(): void {
    const socket = this.#socket;
    this.#rooms.clear();
    if (!socket) return;
    socket.offAny();
    socket.off();
    if (!sessionOf(socket)) {
      socket.disconnect();
      return;
    }
    // Without a word of good-bye, which would end the session that the next leader is to recover.
    socket.io.reconnection(false);
    socket.io.engine.close();
  }

  #onConnect(socket: SocketLike): void {
    if (!socket.recovered) this.#joined.clear();
    this.#tellState();
    this.#joinHeld(socket);
    this.#leaveOthers(socket);
  }

  #joinHeld(socket: SocketLike): void {
    if (!socket.connected) return;
    for (const [name, { argument }] of this.#rooms) {
      if (this.#joined.has(name)) continue;
      this.#joined.add(name);
      if (wantsHistory(argument)) socket.emit(kSubscribe, argument, (answer: unknown) => this.#answered(name, answer));
      else socket.emit(kSubscribe, argument);
    }
    this.#desk.tell({ kind: 'rooms', joined: [...this.#joined] });
  }

  #leaveOthers(socket: SocketLike): void {
    if (!socket.connected) return;
    for (const name of [...this.#joined]) {
      if (this.#rooms.has(name)) continue;
      this.#joined.delete(name);
      socket.emit(kUnsubscribe, name);
    }
    this.#desk.tell({ kind: 'rooms', joined: [...this.#joined] });
  }

  #onEvent(socket: SocketLike, event: string, args: unknown[]): void {
    const session = sessionOf(socket);
    // With recovery on, an event carries its offset as one more argument; onAny comes before the client has noted it.
    const last = args.at(-1);
    if (session && typeof last === 'string') session.offset = last;
    const place = placeOf(args);
    const held = place && this.#rooms.get(place.channel);
    if (held) held.argument = afterEvent(held.argument, place.offset);
    const plain = args.map((value) => (typeof value === 'function' ? null : value));
    this.#desk.tell({ kind: 'event', event, args: plain, session });
  }

  #tellState(tab?: string): void {
    const socket = this.#socket;
    const state = socket?.connected ? { state: 'connected', id: socket.id ?? '' } : { state: 'disconnected', id: '' };
    const session = socket ? sessionOf(socket) : null;
    this.#desk.tell({ kind: 'state', state, recovered: socket?.recovered ?? false, session }, tab);
  }

  #hold(tab: string, name: string, argument: unknown): void {
    const room = this.#rooms.get(name);
    if (!room) {
      this.#rooms.set(name, { tabs: new Set([tab]), argument });
      return;
    }
    room.tabs.add(tab);
    if (!positionOf(room.argument)) room.argument = argument;
  }

  /** Notes where the room is; the answer with that, which the server tells at the first join only. */
  #answered(name: string, answer: unknown): unknown {
    const room = this.#rooms.get(name);
    if (!room) return answer;
    room.argument = afterAnswer(room.argument, answer);
    const position = positionOf(room.argument);
    const { ok } = (answer ?? {}) as { ok?: boolean };
    return ok && position ? { position, ...(answer as object) } : answer;
  }

  #emit(socket: SocketLike, tab: string, { event, args, call }: Emit): void {
    const answer = (...values: unknown[]): void => {
      if (call !== null) this.#desk.tell({ kind: 'answer', call, args: values }, tab);
    };
    const room = event === kSubscribe || event === kUnsubscribe ? roomOf(args[0]) : null;
    if (room !== null && event === kUnsubscribe) {
      const held = this.#rooms.get(room);
      held?.tabs.delete(tab);
      // Others are in the room still.
      if (held && held.tabs.size > 0) return answer({ ok: true });
      this.#rooms.delete(room);
      this.#joined.delete(room);
    }
    if (room !== null && event === kSubscribe) {
      this.#hold(tab, room, args[0]);
      // It will be joined with all others at the connect, and nobody waits for the answer of this one.
      if (!socket.connected && call === null) return;
      // Sent again when it is joined already, because the answer names the members of a presence room.
      if (socket.connected) this.#joined.add(room);
    }
    const history = event === kSubscribe && room !== null && wantsHistory(args[0]);
    if (history) {
      // From the place of all tabs: this one says only that it wants the history.
      const argument = this.#rooms.get(room)?.argument ?? args[0];
      socket.emit(event, argument, (value: unknown) => answer(this.#answered(room, value)));
    } else if (call === null) {
      socket.emit(event, ...args);
    } else {
      socket.emit(event, ...args, answer);
    }
    if (room !== null) this.#desk.tell({ kind: 'rooms', joined: [...this.#joined] });
  }
}

/** What the next connection needs to recover this one; null when the server does not do that. */
function sessionOf(socket: SocketLike): Session | null {
  const { _pid, _lastOffset } = socket as Recoverable;
  return _pid === undefined ? null : { pid: _pid, offset: _lastOffset };
}
