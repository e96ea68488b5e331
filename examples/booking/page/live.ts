// The connection of one half: Echo as its own package configures it, with what Kilat adds to it: missed events after a
// reconnect, and a state that can be shown, with pauses that grow from 1 s to 30 s.
import { connectionStatus, withRecovery, type ConnectionSnapshot, type ConnectionStatus } from 'kilat-js';

/** Echo's pusher-js client, as kilat-js asks for it. */
type Client = Parameters<typeof withRecovery>[0];

/** What @laravel/echo-react and @laravel/echo-vue have in common. */
interface EchoPackage {
  configureEcho: (options: {
    broadcaster: 'reverb';
    key: string;
    wsHost: string;
    wsPort: number;
    wssPort: number;
    forceTLS: boolean;
    enabledTransports: ('ws' | 'wss')[];
    [option: string]: unknown;
  }) => void;
  echo: () => { connector: object };
}

/** A quiet server is asked after 6 s whether it is there, and given up 4 s later. */
const kActivityTimeoutMs = 6000;
const kPongTimeoutMs = 4000;

/** Connects a half. `token`: of who is signed in, asked for at each authorization. */
export function connect(
  packaged: EchoPackage,
  name: string,
  token: () => string | null,
  onNotRecovered: () => void,
): ConnectionStatus {
  const secure = location.protocol === 'https:';
  const port = Number(location.port || (secure ? 443 : 80));
  packaged.configureEcho({
    broadcaster: 'reverb',
    key: 'booking-key',
    wsHost: location.hostname,
    wsPort: port,
    wssPort: port,
    forceTLS: secure,
    enabledTransports: secure ? ['wss'] : ['ws'],
    activityTimeout: kActivityTimeoutMs,
    pongTimeout: kPongTimeoutMs,
    channelAuthorization: {
      endpoint: '/api/broadcasting/auth',
      transport: 'ajax',
      headersProvider: () => (token() ? { Authorization: `Bearer ${token()}` } : {}),
    },
  });
  const { pusher } = packaged.echo().connector as { pusher: Client };
  withRecovery(pusher, { storage: sessionStorage, storageKey: `booking:${name}:positions`, onNotRecovered });
  return connectionStatus(pusher);
}

/** The words and the colour of the badge. */
export function lineText({ state, healthy, attempt }: ConnectionSnapshot): { text: string; tone: string } {
  if (state === 'connected') return healthy ? { text: 'Connected', tone: 'good' } : { text: 'No answer', tone: 'wait' };
  if (state === 'failed') return { text: 'Offline', tone: 'bad' };
  return { text: attempt > 0 ? `Reconnecting, attempt ${attempt}` : 'Connecting', tone: 'wait' };
}
