// What tabs and the leading tab say to each other about a shared socket.io-client socket.
import type { SharedState } from './client.js';

/** A place that the server can recover a socket from: who it was, and the last event that it has seen. */
export interface Session {
  pid: string;
  offset?: string | undefined;
}

/** A room that is held, by its name, with what it was subscribed with. */
export type HeldRoom = [room: string, argument: unknown];

export type SocketAsk =
  /** `joined`: the rooms that the server has the session in, as far as this tab was told. */
  | { kind: 'holds'; rooms: HeldRoom[]; session: Session | null; joined: string[] }
  | { kind: 'emit'; event: string; args: unknown[]; call: number | null };

export type SocketTell =
  | { kind: 'state'; state: SharedState; recovered: boolean; session: Session | null }
  | { kind: 'event'; event: string; args: unknown[]; session: Session | null }
  | { kind: 'rooms'; joined: string[] }
  | { kind: 'error'; message: string }
  | { kind: 'answer'; call: number; args: unknown[] };

/** The events by which rooms are joined and left: Kilat's own, docs/socketio.md. */
export const kSubscribe = 'subscribe';
export const kUnsubscribe = 'unsubscribe';

/** The room that an argument of `subscribe` or `unsubscribe` names, or null. */
export function roomOf(argument: unknown): string | null {
  if (typeof argument === 'string') return argument;
  const { channel } = (argument ?? {}) as { channel?: unknown };
  return typeof channel === 'string' ? channel : null;
}
