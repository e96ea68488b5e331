// What tabs and the leading tab say to each other about a shared pusher-js client.
import type { Position } from '../recovery/position.js';
import type { SharedState } from './client.js';

export type PusherAsk =
  | { kind: 'holds'; channels: [string, Position | null][] }
  | { kind: 'hold'; channel: string; position: Position | null }
  | { kind: 'release'; channel: string }
  | { kind: 'trigger'; channel: string; event: string; data: unknown };

export type PusherTell =
  | { kind: 'state'; state: SharedState }
  /**
   * The channel is subscribed: events after `position` follow, or all from now on when that is null. `late`: it was before
   * this tab asked, so that what came between the tab's own position and this one will not come again.
   */
  | { kind: 'joined'; channel: string; data: unknown; position: Position | null; late: boolean }
  | { kind: 'event'; channel: string; event: string; data: unknown; meta?: unknown; position?: Position };

/** The members of a presence channel, as they travel. */
export interface MembersPicture {
  members: Record<string, unknown>;
  count: number;
  myID: string | null;
}
