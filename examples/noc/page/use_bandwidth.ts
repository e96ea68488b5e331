// What goes through the network interfaces of the server's machine. The past comes as bytes over the socket, 24 for each
// sample, then live samples are added.
import { useCallback, useEffect, useState } from 'react';

import type { Sample } from './types.ts';
import { useLive } from './use_live.ts';
import { useRoom } from './use_room.ts';
import type { Connection } from './use_socket.ts';

const kSamplesMax = 600;
const kBytesOfSample = 24;

type Samples = Record<string, Sample[]>;
interface Update extends Sample {
  interface: string;
}

/** Times, received and sent: 64-bit floats, the least significant byte first. */
export function unpack(bytes: ArrayBuffer | ArrayBufferView): Sample[] {
  const view = ArrayBuffer.isView(bytes)
    ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new DataView(bytes);
  return Array.from({ length: Math.floor(view.byteLength / kBytesOfSample) }, (_, index) => {
    const at = index * kBytesOfSample;
    return { at: view.getFloat64(at, true), rx: view.getFloat64(at + 8, true), tx: view.getFloat64(at + 16, true) };
  });
}

function withSample(all: Samples, { interface: name, ...sample }: Update): Samples {
  const samples = all[name] ?? [];
  const last = samples.at(-1);
  if (last && last.at >= sample.at) return all;
  return { ...all, [name]: [...samples, sample].slice(-kSamplesMax) };
}

export interface Bandwidth {
  interfaces: string[];
  chosen: string;
  choose(name: string): void;
  samples: Sample[];
  error: string | null;
}

export function useBandwidth(connection: Connection): Bandwidth {
  const { state, apply, load, error } = useLive<Samples>({});
  const [wanted, choose] = useState('');
  const interfaces = Object.keys(state).sort();
  const chosen = interfaces.includes(wanted) ? wanted : (interfaces.find((name) => name !== 'lo') ?? interfaces[0] ?? '');
  const { socket, connected } = connection;
  const refused = useRoom(connection, {
    room: 'bandwidth',
    events: { 'bandwidth:update': (update: Update) => apply((all) => withSample(all, update)) },
    onJoined: () => {},
  });
  const fetchHistory = useCallback(
    () =>
      new Promise<Sample[]>((resolve, reject) => {
        socket?.emit('bandwidth:history', chosen, (head: { ok: boolean; error?: string }, bytes: ArrayBuffer) => {
          if (head.ok) resolve(unpack(bytes).slice(-kSamplesMax));
          else reject(new Error(head.error));
        });
      }),
    [socket, chosen],
  );
  useEffect(() => {
    if (connected && chosen) load(async () => ({ ...state, [chosen]: await fetchHistory() }));
    // Only these: the state changes with every sample.
  }, [connected, chosen, fetchHistory]);
  return { interfaces, chosen, choose, samples: state[chosen] ?? [], error: refused ?? error };
}
