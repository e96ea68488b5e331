// Several tabs use one connection: one of them leads and has the socket, the others reach it through the browser. When
// the leading tab goes, another one takes over and makes the subscriptions anew.
//
// Owner: the page that called sharedConnection(), until close(). See docs/clients.md for the limits.
import type { SharedAdapter } from './shared/client.js';
import { pageEnvironment, type Environment } from './shared/environment.js';

export { pusherAdapter, SharedChannel, SharedMembers, SharedPusher, type PusherAdapterOptions } from './shared/pusher.js';
export { SharedSocket, socketAdapter } from './shared/socket.js';
export type { SharedAdapter, SharedState } from './shared/client.js';
export type { Bus, Environment, Locks } from './shared/environment.js';

export interface SharedConnectionOptions<Client> {
  /** Pages of one origin and one name share: they must want the same server, app and user. */
  name: string;
  adapter: SharedAdapter<Client>;
  /** How long a new leader waits for the other tabs to say what they hold, in milliseconds; 500 when left out. */
  gatherMs?: number;
  environment?: Partial<Environment>;
}

/**
 * Joins the tabs of this name. Where the browser has no Web Locks or no BroadcastChannel (both need https, or localhost)
 * each tab has a connection of its own.
 */
export function sharedConnection<Client>(options: SharedConnectionOptions<Client>): Client {
  const { name, adapter, gatherMs = 500, environment } = options;
  return adapter.open({ name: `kilat:${name}`, gatherMs, environment: { ...pageEnvironment(), ...environment } });
}
