// Run by tls_clients.test.mjs with NODE_EXTRA_CA_CERTS set, which Node reads at its start only: pusher-js over wss, and
// an event published with fetch over https. Arguments: port, app as JSON. Prints the data of the event.
import { createRequire } from 'node:module';

import { encodeQuery, signedParams } from './http_client.mjs';

const require = createRequire(import.meta.url);
const Pusher = require('pusher-js');
const [port, app_text] = process.argv.slice(2);
const app = JSON.parse(app_text);

const pusher = new Pusher(app.key, {
  wsHost: 'localhost',
  wssPort: Number(port),
  forceTLS: true,
  enabledTransports: ['ws', 'wss'],
  disableStats: true,
  cluster: '',
});
pusher.connection.bind('error', (error) => console.error(JSON.stringify(error)));
const channel = pusher.subscribe('secure');
channel.bind('greeting', (data) => {
  console.log(JSON.stringify(data));
  pusher.disconnect();
});
channel.bind('pusher:subscription_succeeded', async () => {
  const body = JSON.stringify({ name: 'greeting', channel: 'secure', data: '{"text":"hello over TLS"}' });
  const path = `/apps/${app.id}/events`;
  const query = encodeQuery(signedParams(app, 'POST', path, body));
  const response = await fetch(`https://localhost:${port}${path}?${query}`, { method: 'POST', body });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
});
