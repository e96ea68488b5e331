// The frames of pusher-js before it has parsed them: it drops the fields that it does not know.
//
// pusher-js hands each frame on by `transport.emit("message", …)`, synchronously, and makes a new transport for every
// connection. So this replaces `emit` of each transport, when the connection is up and before anything was subscribed.
import type { PusherLike } from '../peers.js';

/** Called with each frame's text; hands it on by calling `deliver`, or keeps it back by not doing so. */
export type FrameHandler = (text: string, deliver: () => void) => void;

interface Transport {
  emit(event: string, ...args: unknown[]): unknown;
}

/** The transport of the open connection, or null where pusher-js has none, or another inside than expected. */
function transportOf(pusher: PusherLike): Transport | null {
  const { connection } = pusher.connection as { connection?: { transport?: Partial<Transport> | null } | null };
  const transport = connection?.transport;
  return typeof transport?.emit === 'function' ? (transport as Transport) : null;
}

/** Shows every frame of one pusher-js client, over all its connections. */
export class FrameTap {
  readonly #pusher: PusherLike;
  readonly #handler: FrameHandler;
  #transport: Transport | null = null;
  readonly #onState = ({ current }: { current: string }): void => {
    if (current === 'connected') this.#attach();
    else this.#detach();
  };

  constructor(pusher: PusherLike, handler: FrameHandler) {
    this.#pusher = pusher;
    this.#handler = handler;
    // "state_change" comes before "connected", which is when pusher-js subscribes.
    pusher.connection.bind('state_change', this.#onState);
    if (pusher.connection.state === 'connected') this.#attach();
  }

  /** Whether frames of the present connection are seen. Without that, positions would be asked for in vain. */
  get attached(): boolean {
    return this.#transport !== null;
  }

  #attach(): void {
    this.#detach();
    const transport = transportOf(this.#pusher);
    if (!transport) return;
    this.#transport = transport;
    const handler = this.#handler;
    const emit = transport.emit;
    transport.emit = function (this: Transport, event: string, ...args: unknown[]): unknown {
      const text = event === 'message' ? (args[0] as { data?: unknown } | undefined)?.data : undefined;
      if (typeof text !== 'string') return emit.call(this, event, ...args);
      let delivered = false;
      handler(text, () => {
        delivered = true;
        emit.call(this, event, ...args);
      });
      // A frame that was kept back is a sign of life all the same.
      if (!delivered) emit.call(this, 'activity');
      return this;
    };
  }

  #detach(): void {
    // `emit` belongs to the prototype: without our own, that one shows again.
    if (this.#transport) delete (this.#transport as Partial<Transport>).emit;
    this.#transport = null;
  }

  stop(): void {
    this.#detach();
    this.#pusher.connection.unbind('state_change', this.#onState);
  }
}
