// The connection of this page: a stock socket.io-client socket that all tabs of the same user share. It comes back by
// itself; it is refused for good only when the server does not take the token.
import { sharedConnection, socketAdapter, type SharedSocket } from 'kilat-js';
import { useEffect, useState } from 'react';
import { io, type Socket } from 'socket.io-client';

import type { Session } from './types.ts';

const kTransportKey = 'noc.transport';

export interface Connection {
  /** Null until the effects of the page have run. */
  socket: SharedSocket | null;
  connected: boolean;
  /** Since when it is not, after it has been; milliseconds since 1970. Null otherwise. */
  lostAt: number | null;
  /** Whether this tab has the connection, or reaches it through another one. */
  leading: boolean;
  /** "websocket", "polling", or "" while nobody knows. */
  transport: string;
}

/** The leading tab knows the transport; the others read it from the storage that they share. */
function watchTransport(socket: Socket): void {
  const note = (): void => localStorage.setItem(kTransportKey, socket.io.engine.transport.name);
  socket.on('connect', () => {
    note();
    socket.io.engine.on('upgrade', note);
  });
}

/** `onRefused`: the token is not valid any more. */
export function useSocket({ token, user }: Session, onRefused: (message: string) => void): Connection {
  const [socket, setSocket] = useState<SharedSocket | null>(null);
  const [connected, setConnected] = useState(false);
  const [lostAt, setLostAt] = useState<number | null>(null);
  const [leading, setLeading] = useState(false);
  const [transport, setTransport] = useState('');

  useEffect(() => {
    const open = (): Socket => {
      const made = io({ auth: token ? { token } : {}, reconnectionDelay: 500, reconnectionDelayMax: 5000 });
      watchTransport(made);
      made.on('connect_error', (error) => {
        // Refused by the server, not lost on the way: socket.io-client does not try again.
        if (!made.active) onRefused(error.message);
      });
      return made;
    };
    const shared = sharedConnection({ name: `noc:${user?.id ?? ''}`, adapter: socketAdapter(open) });
    let was = false;
    const look = (): void => {
      if (shared.connected) setLostAt(null);
      else if (was) setLostAt(Date.now());
      was = shared.connected;
      setConnected(shared.connected);
      setLeading(shared.leading);
      setTransport(localStorage.getItem(kTransportKey) ?? '');
    };
    const stopWatching = shared.onState(look);
    // The storage event comes to the other tabs only, and leading is not told.
    const timer = setInterval(look, 500);
    addEventListener('storage', look);
    setSocket(shared);
    look();
    return () => {
      removeEventListener('storage', look);
      clearInterval(timer);
      stopWatching();
      shared.close();
      setSocket(null);
      setLostAt(null);
    };
  }, [token, user?.id, onRefused]);

  return { socket, connected, lostAt, leading, transport };
}
