// withRecovery(), connectionStatus() and sharedConnection() with pusher-js against the kilat binary.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { connectionStatus } from '../dist/connection_status.js';
import { withRecovery } from '../dist/recovery.js';
import { pusherAdapter, sharedConnection } from '../dist/shared_connection.js';
import { FakeBrowser } from './fake_tabs.mjs';
import { encryptingApi, kHistory, startServer } from './kilat.mjs';
import { connected, disconnectAll, numbers, pusherClient, record } from './pusher_client.mjs';
import { eventually } from './wait.mjs';

const kWithHistory = kHistory();
const kRules = ['kept.* size=100 age=1h', 'private-encrypted-kept size=9 age=1h', 'short.* size=2 age=1h'];
const kApp = { client_events: true, ...(kWithHistory.skip ? {} : { history: kRules }) };

let server;
const cleanup = [];
before(async () => {
  server = await startServer({ apps: [kApp] });
});
after(() => server.stop());
afterEach(() => {
  for (const end of cleanup.splice(0)) end();
  disconnectAll();
});

/** A client of the app's key, with signatures made here as a backend would. */
function client() {
  return pusherClient(server.port, {
    key: server.app.key,
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, callback) => callback(null, server.api().authorizeChannel(socketId, channelName)),
    },
  });
}

async function subscriber(name, options) {
  const pusher = client();
  const recovery = withRecovery(pusher, options);
  const channel = pusher.subscribe(name);
  const seen = record(channel);
  await eventually(() => channel.subscribed, 'the subscription');
  return { pusher, recovery, channel, seen };
}

const publish = async (name, ...values) => {
  for (const n of values) await server.publish(name, 'e', { n });
};
const got = (seen, n) => eventually(() => numbers(seen).includes(n), `event ${n}`);
/** Ends the connection below pusher-js, which comes back by itself after a second. */
const cut = (pusher) => pusher.connection.connection.close();

async function interrupt({ pusher, channel }, away) {
  const { socket_id } = pusher.connection;
  cut(pusher);
  await server.waitForLog((line) => line.event === 'connection_closed' && line.socket_id === socket_id, 'the close');
  await away();
  await connected(pusher, socket_id);
  await eventually(() => channel.subscribed, 'the next subscription');
}

test('ChannelWithoutHistory_IsAsEver_ForAClientThatAsks', async () => {
  const { pusher, recovery, channel, seen } = await subscriber('plain');
  await publish('plain', 1);
  await got(seen, 1);
  assert.equal(recovery.position('plain'), null);
  await interrupt({ pusher, channel }, () => publish('plain', 2));
  await publish('plain', 3);
  await got(seen, 3);
  assert.deepEqual(numbers(seen), [1, 3]);
  assert.deepEqual(recovery.stats, { recovered: 0, notRecovered: 0, duplicates: 0 });
});

test('ChannelWithHistory_GivesWhatWasMissed_OnceAndInOrder', kWithHistory, async () => {
  const { pusher, recovery, channel, seen } = await subscriber('kept.a');
  await publish('kept.a', 1, 2);
  await got(seen, 2);
  assert.equal(recovery.position('kept.a').offset, 2);
  await interrupt({ pusher, channel }, () => publish('kept.a', 3, 4, 5));
  await publish('kept.a', 6);
  await got(seen, 6);
  assert.deepEqual(numbers(seen), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(recovery.stats, { recovered: 1, notRecovered: 0, duplicates: 0 });
});

test('ChannelWithHistory_RewindsOnTheFirstSubscribe', kWithHistory, async () => {
  await publish('kept.b', 1, 2, 3, 4);
  const { recovery, seen } = await subscriber('kept.b', { rewind: { 'kept.b': { count: 2 } } });
  await got(seen, 4);
  await publish('kept.b', 5);
  await got(seen, 5);
  assert.deepEqual(numbers(seen), [3, 4, 5]);
  assert.equal(recovery.position('kept.b').offset, 5);
});

test('ChannelWhoseHistoryIsTooShort_SaysThatItExpired', kWithHistory, async () => {
  const { pusher, channel, seen } = await subscriber('short.a');
  await publish('short.a', 1);
  await got(seen, 1);
  await interrupt({ pusher, channel }, () => publish('short.a', 2, 3, 4, 5));
  await publish('short.a', 6);
  await got(seen, 6);
  assert.deepEqual(numbers(seen), [1, 6]);
  const news = seen.filter(([name]) => name === 'kilat:not_recovered');
  assert.deepEqual(news, [['kilat:not_recovered', { channel: 'short.a', reason: 'history_expired' }]]);
});

test('EncryptedChannel_GivesWhatWasMissed', kWithHistory, async () => {
  const api = encryptingApi(server);
  const pusher = pusherClient(server.port, {
    key: server.app.key,
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, callback) => callback(null, api.authorizeChannel(socketId, channelName)),
    },
  });
  const recovery = withRecovery(pusher);
  const name = 'private-encrypted-kept';
  const channel = pusher.subscribe(name);
  const seen = record(channel);
  await eventually(() => channel.subscribed, 'the subscription');
  const trigger = (n) => api.trigger(name, 'e', { n });
  await trigger(1);
  await got(seen, 1);
  await interrupt({ pusher, channel }, () => trigger(2));
  await trigger(3);
  await got(seen, 3);
  assert.deepEqual(numbers(seen), [1, 2, 3]);
  assert.equal(recovery.stats.recovered, 1);
});

test('ServerStartedAnew_SaysThatTheHistoryBeganAgain', kWithHistory, async () => {
  const first = server;
  const { channel, seen } = await subscriber('kept.c');
  await publish('kept.c', 1);
  await got(seen, 1);
  const { port } = first;
  await first.kill9();
  server = await startServer({ apps: [kApp], port });
  await eventually(() => seen.some(([name]) => name === 'kilat:not_recovered') && channel.subscribed, 'the news');
  assert.equal(seen.find(([name]) => name === 'kilat:not_recovered')[1].reason, 'history_epoch');
});

test('Heartbeats_KeepTheConnectionAndAreAnsweredByThePong', async () => {
  const pusher = client();
  const status = connectionStatus(pusher, { heartbeatMs: 50 });
  cleanup.push(() => status.stop());
  await eventually(() => status.current().state === 'connected', 'the connection');
  const since = status.heardAt;
  await eventually(() => status.heardAt > since + 200, 'pongs');
  assert.equal(status.current().healthy, true);
  assert.equal(server.closedReasons().includes('protocol_error'), false);
});

test('ServerKilledAndStarted_TheStatusBringsTheClientBack', async () => {
  const pusher = client();
  const status = connectionStatus(pusher, { delayMs: 50, delayMaxMs: 200, attemptsMax: 1000 });
  cleanup.push(() => status.stop());
  const states = [];
  status.subscribe(({ state }) => states.push(state));
  const channel = pusher.subscribe('plain');
  await eventually(() => channel.subscribed, 'the subscription');
  const { port } = server;
  await server.kill9();
  await eventually(() => states.filter((state) => state === 'error').length > 2, 'failed attempts');
  server = await startServer({ apps: [kApp], port });
  await eventually(() => status.current().state === 'connected' && channel.subscribed, 'the subscription after that');
});

test('WrongKey_HasFailedAtOnce', async () => {
  const status = connectionStatus(pusherClient(server.port, { key: 'nobody' }));
  cleanup.push(() => status.stop());
  await eventually(() => status.current().state === 'failed', 'the refusal');
  assert.match(status.current().error, /^4001/);
});

for (const [name, options] of [['kept.d', kWithHistory], ['private-plain', {}]]) {
  test(`Tabs_ShareAChannel_${name}_AndATakeOverGoesOn`, options, async () => {
    const browser = new FakeBrowser();
    const made = [];
    const tabs = [0, 1, 2].map((i) => {
      const environment = browser.tab();
      const shared = sharedConnection({
        name: 'real',
        environment,
        adapter: pusherAdapter(() => (made[i] = client()), { recovery: (pusher) => withRecovery(pusher) }),
      });
      cleanup.push(() => shared.close());
      const channel = shared.subscribe(name);
      return { environment, shared, channel, seen: record(channel) };
    });
    await eventually(() => tabs.every(({ channel }) => channel.subscribed), 'the subscriptions');
    await publish(name, 1);
    for (const { seen } of tabs) await got(seen, 1);
    const first = tabs.findIndex(({ shared }) => shared.leading);
    tabs[first].environment.kill();
    made[first].disconnect();
    const left = tabs.filter((tab, i) => i !== first);
    if (!kWithHistory.skip && name === 'kept.d') await publish(name, 2);
    const successes = ({ seen }) => seen.filter(([event]) => event === 'pusher:subscription_succeeded').length;
    await eventually(() => left.every((tab) => successes(tab) > 1), 'the subscription of the next leader');
    await publish(name, 3);
    for (const { seen } of left) await got(seen, 3);
    for (const { seen } of left) assert.deepEqual(numbers(seen), name === 'kept.d' ? [1, 2, 3] : [1, 3]);
  });
}
