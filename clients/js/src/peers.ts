// What this package asks of pusher-js 8 and socket.io-client 4. Described by shape, so that neither has to be installed,
// and whatever looks alike (a wrapper, Echo's `connector.pusher`) works as well.

export type Handler = (...args: any[]) => void;

/** Something with pusher-js's way of listening. */
export interface PusherEvents {
  bind(event: string, callback: Handler): unknown;
  unbind(event?: string, callback?: Handler): unknown;
}

/** The connection manager of pusher-js: `pusher.connection`. */
export interface PusherConnection extends PusherEvents {
  state: string;
  socket_id: string;
  send(data: any): boolean;
  send_event(name: string, data: any, channel?: string): boolean;
}

/** A channel of pusher-js. */
export interface PusherChannel extends PusherEvents {
  name: string;
  subscribed: boolean;
  trigger(event: string, data: any): boolean;
  emit(event: string, data?: any, metadata?: any): unknown;
}

/** A pusher-js client. */
export interface PusherLike {
  key: string;
  connection: PusherConnection;
  connect(): void;
  disconnect(): void;
  channel(name: string): PusherChannel | undefined;
  subscribe(name: string): PusherChannel;
  unsubscribe(name: string): void;
  send_event(event: string, data: any, channel?: string): boolean;
}

/** The manager below a socket.io-client socket: `socket.io`. */
export interface SocketManager {
  reconnection(): boolean;
  reconnection(on: boolean): unknown;
  on(event: any, callback: Handler): unknown;
  off(event: any, callback: Handler): unknown;
  engine: { close(): unknown };
}

/** A socket.io-client socket. */
export interface SocketLike {
  connected: boolean;
  active: boolean;
  recovered: boolean;
  id?: string | undefined;
  io: SocketManager;
  connect(): unknown;
  disconnect(): unknown;
  emit(event: string, ...args: any[]): unknown;
  on(event: any, callback: Handler): unknown;
  off(event?: any, callback?: Handler): unknown;
  onAny(callback: Handler): unknown;
  offAny(callback?: Handler): unknown;
}
