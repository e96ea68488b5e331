// The log of the network, the oldest line first. The server sends lines in bundles, four times a second at most.
import { request } from '../../common/page/kit.ts';
import type { LogLine, Session } from './types.ts';
import { useLive } from './use_live.ts';
import { useRoom } from './use_room.ts';
import type { Connection } from './use_socket.ts';

const kLinesMax = 500;

const keyOf = ({ at, source, message }: LogLine): string => `${at} ${source} ${message}`;

/** Lines that are there already are those that came while the list was loaded. */
function withLines(known: LogLine[], lines: LogLine[]): LogLine[] {
  const last = new Set(known.slice(-100).map(keyOf));
  return [...known, ...lines.filter((line) => !last.has(keyOf(line)))].slice(-kLinesMax);
}

export function useNetworkLogs(connection: Connection, { token }: Session): { lines: LogLine[]; error: string | null } {
  const { state, apply, load, error } = useLive<LogLine[]>([]);
  const refused = useRoom(connection, {
    room: 'logs',
    events: { 'network:log': (lines: LogLine[]) => apply((known) => withLines(known, lines)) },
    onJoined: () => load(async () => (await request<{ lines: LogLine[] }>('/api/logs', { token })).lines),
  });
  return { lines: state, error: refused ?? error };
}
