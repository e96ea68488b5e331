// One room of the shared connection: joined as long as the component is there, and joined again after each reconnect. In a
// room with history what was missed comes then, once.
import { useEffect, useRef, useState } from 'react';

import type { Connection } from './use_socket.ts';

interface Answer {
  ok: boolean;
  message?: string;
}

interface Place {
  channel: string;
}

export interface RoomOptions {
  /** null: none at the moment. */
  room: string | null;
  /** Whether kilat.toml keeps a history of it. */
  history?: boolean;
  /** By the name of the event. */
  events: Record<string, (data: any) => void>;
  /** Joined, also after a reconnect: time to load the present state. */
  onJoined(): void;
}

/** Returns why the room was refused, or null. */
export function useRoom({ socket, connected }: Connection, options: RoomOptions): string | null {
  const { room, history = false } = options;
  const [refused, setRefused] = useState<string | null>(null);
  const latest = useRef(options);
  latest.current = options;

  useEffect(() => {
    setRefused(null);
    if (!socket || !room) return undefined;
    const handlers = Object.keys(options.events).map((event) => {
      const handler = (data: unknown, place?: Place): void => {
        // Several rooms may have events of one name; those with history say which room it was.
        if (!history || place?.channel === room) latest.current.events[event]?.(data);
      };
      socket.on(event, handler);
      return [event, handler] as const;
    });
    return () => {
      for (const [event, handler] of handlers) socket.off(event, handler);
      socket.emit('unsubscribe', room);
    };
  }, [socket, room, history]);

  useEffect(() => {
    if (!socket || !room || !connected) return undefined;
    let current = true;
    socket.emit('subscribe', history ? { channel: room, recover: true } : room, (answer: Answer) => {
      if (!current) return;
      setRefused(answer.ok ? null : (answer.message ?? 'refused'));
      if (answer.ok) latest.current.onJoined();
    });
    return () => {
      current = false;
    };
  }, [socket, room, history, connected]);

  return refused;
}
