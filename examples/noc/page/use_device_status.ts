// The devices that are watched, as they are now, with the latencies of the last half minute.
import { request } from '../../common/page/kit.ts';
import type { Device } from './types.ts';
import { useLive } from './use_live.ts';
import { useRoom } from './use_room.ts';
import type { Connection } from './use_socket.ts';

const kRecentMax = 60;

interface Latencies {
  at: number;
  devices: { id: number; latency_ms: number | null }[];
}

/** A status carries the latencies that the server has; those that came since are the same. */
const withStatus = (devices: Device[], device: Device): Device[] =>
  devices.some(({ id }) => id === device.id)
    ? devices.map((known) => (known.id === device.id ? device : known))
    : [...devices, device];

function withLatencies(devices: Device[], { devices: latencies }: Latencies): Device[] {
  const byId = new Map(latencies.map(({ id, latency_ms }) => [id, latency_ms]));
  return devices.map((device) => {
    const latency = byId.get(device.id);
    if (latency === undefined) return device;
    const recent = latency === null ? device.recent : [...device.recent, latency].slice(-kRecentMax);
    return { ...device, latency_ms: latency, recent };
  });
}

export function useDeviceStatus(connection: Connection): { devices: Device[]; error: string | null } {
  const { state, apply, load, error } = useLive<Device[]>([]);
  const refused = useRoom(connection, {
    room: 'devices',
    events: {
      'device:status': (device: Device) => apply((devices) => withStatus(devices, device)),
      'device:latency': (latencies: Latencies) => apply((devices) => withLatencies(devices, latencies)),
      'device:removed': ({ id }: { id: number }) => apply((devices) => devices.filter((device) => device.id !== id)),
    },
    onJoined: () => load(async () => (await request<{ devices: Device[] }>('/api/devices')).devices),
  });
  return { devices: state, error: refused ?? error };
}
