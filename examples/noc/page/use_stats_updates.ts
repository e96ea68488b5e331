// The figures of the server's machine, once a second.
import { request } from '../../common/page/kit.ts';
import type { Stats } from './types.ts';
import { useLive } from './use_live.ts';
import { useRoom } from './use_room.ts';
import type { Connection } from './use_socket.ts';

export function useStatsUpdates(connection: Connection): { stats: Stats | null; error: string | null } {
  const { state, apply, load, error } = useLive<Stats | null>(null);
  const refused = useRoom(connection, {
    room: 'stats',
    events: { 'stats:update': (stats: Stats) => apply(() => stats) },
    onJoined: () => load(async () => (await request<{ stats: Stats }>('/api/stats')).stats),
  });
  return { stats: state, error: refused ?? error };
}
