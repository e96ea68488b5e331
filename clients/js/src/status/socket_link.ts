// A socket.io-client socket as connectionStatus() sees it.
import type { Link, LinkEvents } from '../connection_status.js';
import type { SocketLike } from '../peers.js';

/** Switches the manager's own reconnecting off. Its heartbeat stays: Engine.IO pings every 25 s by default, both ways. */
export class SocketLink implements Link {
  readonly #socket: SocketLike;
  readonly #reconnection: boolean;
  #events: LinkEvents | null = null;
  #aborting = false;

  constructor(socket: SocketLike) {
    this.#socket = socket;
    this.#reconnection = socket.io.reconnection();
  }

  start(events: LinkEvents): void {
    this.#events = events;
    const socket = this.#socket;
    socket.io.reconnection(false);
    socket.on('connect', this.#onConnect);
    socket.on('disconnect', this.#onDisconnect);
    socket.on('connect_error', this.#onConnectError);
    socket.io.on('ping', this.#onHeard);
    socket.io.on('packet', this.#onHeard);
    if (socket.connected) events.up();
    else if (socket.active) events.opening();
  }

  stop(): void {
    this.#events = null;
    const socket = this.#socket;
    socket.off('connect', this.#onConnect);
    socket.off('disconnect', this.#onDisconnect);
    socket.off('connect_error', this.#onConnectError);
    socket.io.off('ping', this.#onHeard);
    socket.io.off('packet', this.#onHeard);
    socket.io.reconnection(this.#reconnection);
  }

  open(): void {
    this.#socket.connect();
  }

  abort(): void {
    this.#aborting = true;
    try {
      this.#socket.disconnect();
    } finally {
      this.#aborting = false;
    }
  }

  heartbeat(): void {
    // The pings of Engine.IO are answered by the client, and each one is heard.
  }

  readonly #onConnect = (): void => this.#events?.up();
  readonly #onHeard = (): void => this.#events?.heard();

  readonly #onDisconnect = (reason: string): void => {
    if (this.#aborting) return;
    if (reason === 'io client disconnect') this.#events?.ended();
    else this.#events?.down(reason, reason === 'io server disconnect');
  };

  readonly #onConnectError = (error: Error): void => {
    // A socket that is no longer active was refused by the server; otherwise the connection below it failed.
    this.#events?.down(error.message, !this.#socket.active);
  };
}
