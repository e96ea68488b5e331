// The plant (examples/scada) as operators and strangers drive it over HTTP, without a browser: floods of logins, load
// tests, its own figures.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Example } from './example.mjs';
import { repository } from './kilat.mjs';

const require = createRequire(join(repository, 'tests/package.json'));
const PusherClient = require('pusher-js');

const kApp = { PUSHER_APP_ID: 'plant-8', PUSHER_APP_KEY: 'plant-8-key', PUSHER_APP_SECRET: 'plant-secret' };
/** Above the bound of logins that may wait. */
const kFlood = 150;

let scada;
let client;

async function post(path, body, token) {
  const headers = { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const answer = await fetch(scada.url(path), { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}

const logIn = (password) => post('/api/login', { login: 'operator', password });

before(async () => {
  scada = await new Example('example_scada', { env: kApp }).start();
  client = new PusherClient(kApp.PUSHER_APP_KEY, {
    cluster: '', wsHost: '127.0.0.1', wsPort: scada.port, forceTLS: false, enabledTransports: ['ws'], disableStats: true,
  });
});

after(async () => {
  client?.disconnect();
  await scada?.remove();
});

test('FloodOfLogins_IsRefusedInPart_AndHoldsUpNothingElse', async () => {
  const answered = [];
  const flood = Array.from({ length: kFlood }, () => logIn('wrong').then(({ status }) => answered.push(status)));
  assert.equal((await fetch(scada.url('/api/alarms'))).status, 200);
  const before = answered.filter((status) => status === 401).length;
  await Promise.all(flood);
  assert.ok(answered.every((status) => status === 401 || status === 429), answered.join());
  assert.ok(answered.includes(429), 'all were taken');
  const checked = answered.filter((status) => status === 401).length;
  assert.ok(checked > before, 'the alarms had to wait for all logins');
  assert.equal((await logIn('operator')).status, 200);
});

test('LoadTest_EventsHaveTheShapeOfAllOthers', async () => {
  const channel = client.subscribe('scada-loadtest');
  await new Promise((done) => { channel.bind('pusher:subscription_succeeded', done); });
  const event = new Promise((done) => { channel.bind('scada.data.received', done); });
  const { token } = (await logIn('operator')).body;
  assert.equal((await post('/api/loadtest', { messages: 1 }, token)).status, 200);
  const { data, timestamp, channel: name } = await event;
  assert.deepEqual([data.value, name], [1, 'load-test']);
  assert.equal(new Date(timestamp).toISOString(), timestamp);
});

test('Metrics_AreServedWhereTheyAreAskedFor', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  const other = await new Example('example_scada', { env: kApp, args: ['--metrics', `127.0.0.1:${port}`] }).start();
  assert.match(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(), /^kilat_connections\b/m);
  await other.remove();
});
