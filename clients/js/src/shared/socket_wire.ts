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
  | { kind: 'answer'; call: number; args: unknown[] }
  /** The call was not sent: too much waited. */
  | { kind: 'lost'; call: number };

/** The events by which rooms are joined and left: Kilat's own, docs/socketio.md. */
export const kSubscribe = 'subscribe';
export const kUnsubscribe = 'unsubscribe';

/** The room that an argument of `subscribe` or `unsubscribe` names, or null. */
export function roomOf(argument: unknown): string | null {
  if (typeof argument === 'string') return argument;
  const { channel } = (argument ?? {}) as { channel?: unknown };
  return typeof channel === 'string' ? channel : null;
}

/** A place in the history of a room, docs/history.md. */
export interface Position {
  epoch: string;
  offset: number;
}

/** Whether the room is held with its history: `{channel, recover}`. */
export const wantsHistory = (argument: unknown): boolean =>
  Boolean((argument as { recover?: unknown } | null | undefined)?.recover);

/** The place that the next join with this argument goes on from; null when it has none yet. */
export function positionOf(argument: unknown): Position | null {
  const recover = (argument as { recover?: unknown } | null | undefined)?.recover;
  return typeof recover === 'object' ? (recover as Position | null) : null;
}

/** The argument after its answer. What was recovered is on its way, and counts event by event. */
export function afterAnswer(argument: unknown, answer: unknown): unknown {
  const { position, recovered } = (answer ?? {}) as { position?: Position; recovered?: boolean };
  if (!wantsHistory(argument) || !position || (recovered === true && positionOf(argument))) return argument;
  return { ...(argument as object), recover: position };
}

/** The argument after an event of its room. */
export function afterEvent(argument: unknown, offset: number): unknown {
  const position = positionOf(argument);
  if (!position || offset <= position.offset) return argument;
  return { ...(argument as object), recover: { ...position, offset } };
}

/** The place that an event of a room with history carries behind its own arguments. */
export function placeOf(args: readonly unknown[]): { channel: string; offset: number } | null {
  // With connection state recovery there is one more argument behind it.
  for (const value of args.slice(-2)) {
    const { channel, offset } = (value ?? {}) as { channel?: unknown; offset?: unknown };
    if (typeof channel === 'string' && typeof offset === 'number') return { channel, offset };
  }
  return null;
}
