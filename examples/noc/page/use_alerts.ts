// The alerts, the newest first, and the way to acknowledge one. New ones are told once, also those that were missed while
// the connection was away.
import { useCallback } from 'react';

import { request } from '../../common/page/kit.ts';
import type { Alert, Session } from './types.ts';
import { upsert, useLive } from './use_live.ts';
import { useRoom } from './use_room.ts';
import type { Connection } from './use_socket.ts';

const kAlertsMax = 100;
const kRank = { open: 0, acknowledged: 1, resolved: 2 };

/** An alert only goes forward; what was missed comes in order, but after the present state. */
export function withAlert(alerts: Alert[], alert: Alert): Alert[] {
  const known = alerts.find(({ id }) => id === alert.id);
  if (known && kRank[known.status] >= kRank[alert.status]) return alerts;
  return upsert(alerts, alert, ({ id }) => id, kAlertsMax).sort((one, other) => other.id - one.id);
}

export interface Alerts {
  alerts: Alert[];
  acknowledge(id: number): Promise<void>;
  error: string | null;
}

export function useAlerts(connection: Connection, { token }: Session, onNew: (alert: Alert) => void): Alerts {
  const { state, apply, load, error } = useLive<Alert[]>([]);
  const refused = useRoom(connection, {
    room: 'alerts',
    history: true,
    events: {
      'alert:new': (alert: Alert) => {
        apply((alerts) => withAlert(alerts, alert));
        onNew(alert);
      },
      'alert:updated': (alert: Alert) => apply((alerts) => withAlert(alerts, alert)),
    },
    onJoined: () => load(async () => (await request<{ alerts: Alert[] }>('/api/alerts', { token })).alerts),
  });
  const acknowledge = useCallback(
    async (id: number): Promise<void> => {
      const { alert } = await request<{ alert: Alert }>(`/api/alerts/${id}/acknowledge`, { token, method: 'POST' });
      apply((alerts) => withAlert(alerts, alert));
    },
    [token, apply],
  );
  return { alerts: state, acknowledge, error: refused ?? error };
}
