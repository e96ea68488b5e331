// connectionStatus() and sharedConnection() with socket.io-client against the kilat binary.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { io } from 'socket.io-client';

import { connectionStatus } from '../dist/connection_status.js';
import { sharedConnection, socketAdapter } from '../dist/shared_connection.js';
import { FakeBrowser } from './fake_tabs.mjs';
import { startServer } from './kilat.mjs';
import { eventually } from './wait.mjs';

const kSettings = { socketio: { recovery_ms: 60_000, ping_interval_ms: 200, ping_timeout_ms: 5000 } };
const kApp = { client_events: true, client_events_on_public: true };

let server;
let browser;
let tabs;
let cleanup;
before(async () => {
  server = await startServer({ apps: [kApp], ...kSettings });
});
after(() => server.stop());

function begin() {
  browser = new FakeBrowser();
  tabs = [];
  cleanup = [];
}
begin();
afterEach(() => {
  for (const { shared } of tabs) shared.close();
  for (const end of cleanup) end();
  begin();
});

function client(options = {}, url = server.url) {
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnectionDelay: 100, ...options });
  cleanup.push(() => socket.disconnect());
  return socket;
}

function openTab(url) {
  const environment = browser.tab();
  const made = [];
  const shared = sharedConnection({
    name: 'sio',
    environment,
    adapter: socketAdapter(() => {
      made.push(client({}, url));
      return made.at(-1);
    }),
  });
  const seen = [];
  shared.on('e', ({ n }) => seen.push(n));
  const tab = {
    shared,
    seen,
    made,
    kill() {
      environment.kill();
      for (const socket of made) {
        socket.io.reconnection(false);
        socket.io.engine.close();
      }
    },
  };
  tabs.push(tab);
  return tab;
}

async function leaderAndFollowers(count) {
  const leader = openTab();
  await eventually(() => leader.shared.leading && leader.shared.connected, 'the leader');
  const followers = Array.from({ length: count }, openTab);
  await eventually(() => followers.every(({ shared }) => shared.connected), 'the followers');
  return [leader, ...followers];
}

const publish = async (room, ...values) => {
  for (const n of values) await server.publish(room, 'e', { n });
};
const got = (n, ...joined) => eventually(() => joined.every(({ seen }) => seen.includes(n)), `event ${n}`);
const subscribed = (tab, room) => tab.shared.emitWithAck('subscribe', room);
const roomCount = async (room) => {
  const { status, json } = await server.request('GET', `/channels/${room}`, { query: { info: 'subscription_count' } });
  assert.equal(status, 200);
  return json.occupied ? json.subscription_count : 0;
};

test('Tabs_ShareOneSocket_WithAcknowledgements', async () => {
  const all = await leaderAndFollowers(2);
  for (const tab of all) assert.deepEqual(await subscribed(tab, 'noc'), { ok: true });
  const refusal = await all[2].shared.emitWithAck('subscribe', 'private-noc');
  assert.equal(refusal.ok, false);
  const answer = await new Promise((resolve) => all[1].shared.emit('publish', { channel: 'elsewhere', event: 'client-x', data: 1 }, resolve));
  assert.equal(answer.ok, false);
  await publish('noc', 1, 2);
  await got(2, ...all);
  for (const { seen } of all) assert.deepEqual(seen, [1, 2]);
  assert.equal(new Set(all.map(({ shared }) => shared.id)).size, 1);
  assert.equal(all.flatMap(({ made }) => made).length, 1);
});

test('LeaderKilled_TheNextTabRecoversItsSession', async () => {
  const all = await leaderAndFollowers(2);
  const { id } = all[0].shared;
  for (const tab of all) await subscribed(tab, 'noc');
  await publish('noc', 1);
  await got(1, ...all);
  all[0].kill();
  await publish('noc', 2, 3);
  await got(3, all[1], all[2]);
  await publish('noc', 4);
  await got(4, all[1], all[2]);
  for (const { seen } of all.slice(1)) assert.deepEqual(seen, [1, 2, 3, 4]);
  const leader = all.slice(1).find(({ shared }) => shared.leading);
  assert.equal(leader.shared.recovered, true);
  assert.equal(leader.shared.id, id);
});

test('LeaderClosed_HandsItsSessionOn', async () => {
  const [leader, next] = await leaderAndFollowers(1);
  await subscribed(next, 'noc');
  await publish('noc', 1);
  await got(1, next);
  leader.shared.close();
  await publish('noc', 2);
  await got(2, next);
  assert.deepEqual(next.seen, [1, 2]);
  assert.equal(next.shared.recovered, true);
});

test('LeaderClosed_AndTheNextCannotConnect_AllTabsAreDisconnected', async () => {
  const [leader] = await leaderAndFollowers(0);
  const others = [openTab('http://127.0.0.1:9'), openTab('http://127.0.0.1:9')];
  const heard = others.map(({ shared }) => {
    const events = [];
    for (const name of ['connect', 'disconnect', 'connect_error']) shared.on(name, () => events.push(name));
    return events;
  });
  await eventually(() => others.every(({ shared }) => shared.connected), 'the followers');
  leader.shared.close();
  await eventually(() => others.every(({ shared }) => !shared.connected), 'the followers to know');
  await eventually(() => heard.every((events) => events.includes('connect_error')), 'why');
  for (const events of heard) assert.deepEqual(events.slice(0, 3), ['connect', 'disconnect', 'connect_error']);
});

test('Room_IsLeft_WithItsLastHolder_AlsoOverATakeOver', async () => {
  const [leader, a, b] = await leaderAndFollowers(2);
  await subscribed(leader, 'mine');
  await subscribed(a, 'ours');
  await subscribed(b, 'ours');
  await subscribed(leader, 'ours');
  assert.deepEqual(await a.shared.emitWithAck('unsubscribe', 'ours'), { ok: true });
  assert.equal(await roomCount('ours'), 1);
  leader.kill();
  await eventually(() => a.shared.leading || b.shared.leading, 'the next leader');
  await eventually(async () => (await roomCount('mine')) === 0, 'the end of the room that only the old leader held');
  assert.equal(await roomCount('ours'), 1);
  await b.shared.emitWithAck('unsubscribe', 'ours');
  await eventually(async () => (await roomCount('ours')) === 0, 'the end of the other room');
});

test('TabKilled_ItsRoomsAreLeft', async () => {
  const [, a] = await leaderAndFollowers(1);
  await subscribed(a, 'ours');
  assert.equal(await roomCount('ours'), 1);
  a.kill();
  await eventually(async () => (await roomCount('ours')) === 0, 'the end of the room');
});

test('CallThatTheLeaderTakesWithIt_IsRejected', async () => {
  const [leader, a] = await leaderAndFollowers(1);
  // The server has no handler for it, and so no answer.
  const call = a.shared.emitWithAck('nobody-answers', 1);
  leader.kill();
  await assert.rejects(call, /before the answer/);
  assert.deepEqual(await subscribed(a, 'noc'), { ok: true });
});

test('EmittedBeforeThereIsALeader_IsSentLater', async () => {
  const tab = openTab();
  tab.shared.emit('subscribe', 'early');
  const answer = await tab.shared.emitWithAck('subscribe', 'other');
  assert.deepEqual(answer, { ok: true });
  await eventually(async () => (await roomCount('early')) === 1, 'the room');
});

test('Binary_ReachesEveryTab', async () => {
  const all = await leaderAndFollowers(1);
  const bytes = [];
  for (const tab of all) {
    await subscribed(tab, 'noc');
    tab.shared.on('bin', (value) => bytes.push([...new Uint8Array(value)]));
  }
  const sent = await server.request('POST', '/socketio/emit', { body: { event: 'bin', args: [{ $binary: 'AQID' }], rooms: ['noc'] } });
  assert.equal(sent.status, 200);
  await eventually(() => bytes.length === 2, 'the bytes in both tabs');
  assert.deepEqual(bytes, [[1, 2, 3], [1, 2, 3]]);
});

test('Status_OfASocket_SeesLossAndReturn_AndHearsThePings', async () => {
  const socket = client();
  const status = connectionStatus(socket, { delayMs: 50, delayMaxMs: 200, attemptsMax: 1000, heartbeatMs: 300 });
  cleanup.push(() => status.stop());
  const states = [];
  status.subscribe(({ state }) => states.push(state));
  await eventually(() => status.current().state === 'connected', 'the connection');
  const since = status.heardAt;
  await eventually(() => status.heardAt > since + 600, 'pings');
  assert.equal(status.current().healthy, true);
  const { port } = server;
  await server.kill9();
  await eventually(() => states.filter((state) => state === 'error').length > 2, 'failed attempts');
  server = await startServer({ apps: [kApp], port, ...kSettings });
  await eventually(() => status.current().state === 'connected' && socket.connected, 'the connection after that');
  socket.disconnect();
  assert.equal(status.current().state, 'disconnected');
});

test('Status_OfASocketThatTheServerEnds_HasFailed', async () => {
  const socket = client();
  const status = connectionStatus(socket);
  cleanup.push(() => status.stop());
  await eventually(() => status.current().state === 'connected', 'the connection');
  const ended = await server.request('POST', '/socketio/disconnect', { body: { sockets: [socket.id] } });
  assert.equal(ended.status, 200);
  await eventually(() => status.current().state === 'failed', 'the end');
  assert.equal(status.current().error, 'io server disconnect');
  status.retry();
  await eventually(() => status.current().state === 'connected', 'another connection');
});
