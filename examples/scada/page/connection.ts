// The page's one connection: pusher-js, which kilat-js reconnects and watches.
import { connectionStatus, withRecovery, type ConnectionSnapshot, type ConnectionStatus } from 'kilat-js';
import Pusher from 'pusher-js';

import { badge, element, type Tone } from '../../common/page/kit';

const kTones: Record<ConnectionSnapshot['state'], Tone> = {
  disconnected: '', connecting: 'wait', connected: 'good', error: 'bad', failed: 'bad',
};

export interface Connection {
  pusher: Pusher;
  status: ConnectionStatus;
}

/** Connects, and keeps the badges true. `token` is asked for each time a private channel is. */
export function connect(key: string, token: () => string | null): Connection {
  const pusher = new Pusher(key, {
    cluster: '',
    wsHost: location.hostname,
    wsPort: Number(location.port || 80),
    wssPort: Number(location.port || 443),
    forceTLS: location.protocol === 'https:',
    enabledTransports: location.protocol === 'https:' ? ['wss'] : ['ws'],
    disableStats: true,
    channelAuthorization: {
      endpoint: '/broadcasting/auth',
      transport: 'ajax',
      headersProvider: () => (token() ? { Authorization: `Bearer ${token()}` } : {}),
    },
  });
  // Batches and alarms are kept: what was missed comes after a reconnect, and the last ones at the start.
  withRecovery(pusher, {
    channels: (channel) => channel === 'scada-batch' || channel === 'scada-alarms',
    rewind: { 'scada-batch': { count: 8 } },
  });
  const status = connectionStatus(pusher, { delayMs: 1000, delayMaxMs: 30_000, attemptsMax: 10, heartbeatMs: 30_000 });
  status.subscribe(show);
  show(status.current());
  element('retry').addEventListener('click', () => status.retry());
  return { pusher, status };
}

function show(snapshot: ConnectionSnapshot): void {
  badge(element('state'), snapshot.state, kTones[snapshot.state]);
  badge(element('health'), snapshot.healthy ? 'healthy' : 'not healthy', snapshot.healthy ? 'good' : 'wait');
  element('retry').hidden = snapshot.state !== 'failed';
  const notice = element('notice');
  notice.hidden = snapshot.state !== 'error' && snapshot.state !== 'failed';
  notice.textContent = snapshot.state === 'failed'
    ? `Gave up after ${snapshot.attempt} attempts: ${snapshot.error}`
    : `Not connected: ${snapshot.error}. Attempt ${snapshot.attempt} of 10 follows by itself. What is shown is the last that came.`;
  document.querySelectorAll('.card').forEach((card) => card.classList.toggle('stale', !notice.hidden));
}
