// connectionStatus(): the rules with a client of the test's own and a fake clock, then with the real pusher-js and
// socket.io-client.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, test } from 'node:test';

import { io } from 'socket.io-client';

import { connectionStatus } from '../dist/connection_status.js';
import { FakeClock, settled } from './fake_clock.mjs';
import { FakePusherServer } from './fake_pusher_server.mjs';
import { disconnectAll, pusherClient } from './pusher_client.mjs';
import { eventually } from './wait.mjs';

/** Events with bind and unbind, and with on and off. */
class Events {
  #handlers = [];
  bind(event, callback) {
    this.#handlers.push([event, callback]);
  }
  unbind(event, callback) {
    this.#handlers = this.#handlers.filter(([name, one]) => name !== event || one !== callback);
  }
  on = this.bind;
  off = this.unbind;
  fire(event, ...args) {
    for (const [name, callback] of [...this.#handlers]) if (name === event) callback(...args);
  }
  get count() {
    return this.#handlers.length;
  }
}

/** What pusher-js shows of itself: attempts that the test decides on. */
class FakePusher {
  key = 'k';
  attempts = 0;
  sent = [];
  config = { enabledTransports: ['ws'] };
  timelineLines = [];
  timeline = { error: (line) => this.timelineLines.push(line) };

  constructor() {
    const pusher = this;
    this.connection = new (class extends Events {
      state = 'initialized';
      socket_id = '';
      send = (text) => pusher.sent.push(JSON.parse(text)) > 0;
      send_event = (event) => pusher.sent.push(event) > 0;
    })();
  }
  connect() {
    this.attempts++;
    this.#become('connecting');
  }
  disconnect() {
    this.#become('disconnected');
  }
  up() {
    this.#become('connected');
  }
  /** As pusher-js: says when it would try again, and stays in its state until then. */
  async lose(error) {
    if (error) this.connection.fire('error', error);
    this.connection.fire('connecting_in', 1);
    await settled();
  }
  #become(current) {
    const previous = this.connection.state;
    if (previous === current) return;
    this.connection.state = current;
    this.connection.fire('state_change', { previous, current });
  }
}

function watched(options = {}) {
  const clock = new FakeClock();
  const pusher = new FakePusher();
  const status = connectionStatus(pusher, { clock, random: () => 0.5, ...options });
  const seen = [];
  status.subscribe(({ state }) => seen.push(state));
  return { clock, pusher, status, seen };
}

test('Pauses_DoubleFromOneSecondToThirty_AndEndAfterTenAttempts', async () => {
  const { clock, pusher, status, seen } = watched();
  assert.equal(status.current().state, 'disconnected');
  pusher.connect();
  assert.equal(status.current().state, 'connecting');
  const pauses = [];
  for (let i = 0; i < 10; i++) {
    await pusher.lose();
    const { state, nextAttemptAt, attempt } = status.current();
    assert.deepEqual([state, attempt], ['error', i + 1]);
    pauses.push((nextAttemptAt - clock.now()) / 1000);
    await clock.advance(nextAttemptAt - clock.now() - 1);
    assert.equal(pusher.attempts, i + 1);
    await clock.advance(1);
    assert.equal(pusher.attempts, i + 2);
    assert.equal(status.current().state, 'connecting');
  }
  assert.deepEqual(pauses, [1, 2, 4, 8, 16, 30, 30, 30, 30, 30]);
  await pusher.lose();
  assert.deepEqual([status.current().state, status.current().nextAttemptAt], ['failed', null]);
  await clock.advance(3_600_000);
  assert.equal(pusher.attempts, 11);
  assert.deepEqual([...new Set(seen)], ['connecting', 'error', 'failed']);
  assert.equal(clock.pending, 0);
  status.retry();
  assert.equal(pusher.attempts, 12);
  pusher.up();
  assert.deepEqual(status.current(), { state: 'connected', healthy: true, attempt: 0, nextAttemptAt: null, error: null });
});

test('Pauses_AreSpread_ByTheJitter', async () => {
  for (const [random, wanted] of [[0, 900], [0.5, 1000], [1, 1100]]) {
    const { clock, pusher, status } = watched({ random: () => random });
    pusher.connect();
    await pusher.lose();
    assert.equal(Math.round(status.current().nextAttemptAt - clock.now()), wanted);
  }
});

test('ConnectionThatLasted_BeginsWithTheFirstPause_AFlappingOneDoesNot', async () => {
  const { clock, pusher, status } = watched();
  const pause = async () => {
    await pusher.lose();
    const ms = status.current().nextAttemptAt - clock.now();
    await clock.advance(ms);
    return ms;
  };
  pusher.connect();
  assert.equal(await pause(), 1000);
  pusher.up();
  await clock.advance(100);
  assert.equal(await pause(), 2000);
  pusher.up();
  await clock.advance(5000);
  assert.equal(await pause(), 1000);
});

test('AttemptWithoutAnAnswer_FailsAfterItsTime', async () => {
  const { clock, pusher, status } = watched();
  pusher.connect();
  await clock.advance(19_999);
  assert.equal(status.current().state, 'connecting');
  await clock.advance(1);
  assert.deepEqual([status.current().state, status.current().error], ['error', 'timeout']);
  assert.equal(pusher.connection.state, 'disconnected');
  await clock.advance(1000);
  assert.equal(status.current().state, 'connecting');
});

for (const [transports, useTLS, wanted] of [
  [['ws'], false, 0],
  [['ws', 'wss'], true, 0],
  [['ws', 'wss'], false, 3000],
  [['ws', 'xhr_polling'], false, 20_000],
  [undefined, false, 20_000],
]) {
  test(`TransportThatFails_Of_${transports ?? 'all'}_${useTLS ? 'with' : 'without'}_TLS_EndsTheAttemptIn_${wanted}_ms`, async () => {
    const { clock, pusher, status } = watched();
    pusher.config = { enabledTransports: transports, useTLS };
    pusher.connect();
    pusher.timeline.error({ cid: 1, error: 'refused' });
    pusher.timeline.error({ handshakeError: 'not one of a transport' });
    assert.equal(pusher.timelineLines.length, 2);
    if (wanted > 0) await clock.advance(wanted - 1);
    assert.equal(status.current().state, 'connecting');
    await clock.advance(1);
    assert.equal(status.current().state, 'error');
    assert.equal(status.current().attempt, 1);
  });
}

test('AttemptThatFailsInTwoWays_CountsOnce', async () => {
  const { clock, pusher, status } = watched();
  pusher.connect();
  pusher.timeline.error({ cid: 1, error: 'refused' });
  await clock.advance(0);
  await pusher.lose();
  assert.deepEqual([status.current().state, status.current().attempt], ['error', 1]);
});

test('TransportThatFails_WhileConnected_IsForPusherJsToJudge', async () => {
  const { clock, pusher, status } = watched();
  pusher.connect();
  pusher.up();
  pusher.timeline.error({ cid: 1, error: 'x' });
  await clock.advance(1000);
  assert.equal(status.current().state, 'connected');
});

test('EndedByThePage_IsDisconnected_AndStaysSo', async () => {
  const { clock, pusher, status } = watched();
  pusher.connect();
  pusher.up();
  pusher.disconnect();
  assert.equal(status.current().state, 'disconnected');
  await clock.advance(3_600_000);
  assert.equal(pusher.attempts, 1);
  assert.equal(clock.pending, 0);
});

test('RefusedByTheServer_HasFailedAtOnce', async () => {
  const { pusher, status } = watched();
  pusher.connect();
  pusher.connection.fire('error', { type: 'WebSocketError', error: { type: 'PusherError', data: { code: 4001, message: 'App key not known' } } });
  pusher.disconnect();
  assert.deepEqual([status.current().state, status.current().error], ['failed', '4001 App key not known']);
});

test('ClosedWithoutAWord_IsToldInWords', async () => {
  const { pusher, status } = watched();
  pusher.connect();
  pusher.up();
  await pusher.lose({ type: 'PusherError', data: { code: 1006, message: '' } });
  assert.deepEqual([status.current().state, status.current().error], ['error', 'connection lost (1006)']);
});

test('ErrorOfALongTimeAgo_DoesNotTurnAnEndIntoARefusal', async () => {
  const { pusher, status } = watched();
  pusher.connect();
  pusher.up();
  pusher.connection.fire('error', { type: 'PusherError', data: { code: 4301, message: 'too many client events' } });
  await settled();
  assert.equal(status.current().state, 'connected');
  pusher.disconnect();
  assert.equal(status.current().state, 'disconnected');
});

test('Heartbeat_EveryThirtySeconds_IsABareFrame_WithAPingWhenItIsQuiet', async () => {
  const { clock, pusher } = watched();
  pusher.connect();
  pusher.up();
  await clock.advance(20_000);
  pusher.connection.fire('message', { event: 'e' });
  assert.deepEqual(pusher.sent, []);
  await clock.advance(10_000);
  assert.deepEqual(pusher.sent, [{ type: 'heartbeat', timestamp: clock.now() }]);
  await clock.advance(30_000);
  assert.deepEqual(pusher.sent.slice(1), [{ type: 'heartbeat', timestamp: clock.now() }, 'pusher:ping']);
  pusher.disconnect();
  await clock.advance(120_000);
  assert.equal(pusher.sent.length, 3);
});

test('Healthy_EndsTwoHeartbeatsAfterTheLastWord_AndComesBackWithTheNext', async () => {
  const { clock, pusher, status } = watched();
  pusher.connect();
  pusher.up();
  await clock.advance(40_000);
  pusher.connection.fire('message', {});
  assert.equal(status.heardAt, clock.now());
  await clock.advance(60_000);
  assert.equal(status.current().healthy, true);
  await clock.advance(2);
  assert.deepEqual([status.current().state, status.current().healthy], ['connected', false]);
  pusher.connection.fire('message', {});
  assert.equal(status.current().healthy, true);
  await clock.advance(60_002);
  assert.equal(status.current().healthy, false);
});

test('Snapshot_StaysTheSameObject_UntilSomethingChanges', async () => {
  const { pusher, status } = watched();
  pusher.connect();
  pusher.up();
  const before = status.current();
  let calls = 0;
  const end = status.subscribe(() => calls++);
  for (let i = 0; i < 10; i++) pusher.connection.fire('message', {});
  assert.equal(status.current(), before);
  assert.equal(calls, 0);
  end();
  await pusher.lose();
  assert.notEqual(status.current(), before);
  assert.equal(calls, 0);
});

test('Stop_TakesEverythingAway', async () => {
  const { clock, pusher, status, seen } = watched();
  pusher.connect();
  pusher.up();
  status.stop();
  assert.equal(pusher.connection.count, 0);
  assert.equal(clock.pending, 0);
  await pusher.lose();
  assert.deepEqual(seen, ['connecting', 'connected']);
});

// ---- the real clients ----

/** A port where nobody listens. */
async function deadPort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const kQuick = { delayMs: 20, delayMaxMs: 80, attemptsMax: 3, stableMs: 0, heartbeatMs: 50 };
const cleanup = [];
afterEach(async () => {
  disconnectAll();
  for (const end of cleanup.splice(0)) await end();
});

test('PusherJs_LosesItsServer_ComesBackByTheStatusAlone', async () => {
  const server = await FakePusherServer.start();
  cleanup.push(() => server.close());
  const pusher = pusherClient(server.port);
  const status = connectionStatus(pusher, kQuick);
  cleanup.push(() => status.stop());
  const seen = [];
  status.subscribe(({ state }) => seen.push(state));
  assert.equal(status.current().state, 'connecting');
  await eventually(() => status.current().state === 'connected', 'the connection');
  await eventually(() => server.bare.length > 1 && server.received.some(({ event }) => event === 'pusher:ping'), 'heartbeats');
  assert.equal(server.bare[0].type, 'heartbeat');
  const channel = pusher.subscribe('c');
  await eventually(() => channel.subscribed, 'the subscription');
  server.cut();
  await eventually(() => seen.includes('error'), 'the loss');
  await eventually(() => status.current().state === 'connected' && channel.subscribed, 'the next connection');
  assert.equal(server.connections, 1);
});

test('PusherJs_WithNobodyThere_GivesUpAfterItsAttempts', async () => {
  const pusher = pusherClient(await deadPort());
  const status = connectionStatus(pusher, kQuick);
  cleanup.push(() => status.stop());
  await eventually(() => status.current().state === 'failed', 'the end');
  assert.equal(status.current().attempt, 3);
  assert.equal(pusher.connection.state, 'disconnected');
});

test('PusherJs_RefusedByItsServer_HasFailed', async () => {
  const server = await FakePusherServer.start();
  cleanup.push(() => server.close());
  server.onConnection = (socket) => {
    socket.close(4001, 'app_unknown');
    return true;
  };
  const status = connectionStatus(pusherClient(server.port), kQuick);
  cleanup.push(() => status.stop());
  await eventually(() => status.current().state === 'failed', 'the refusal');
  assert.match(status.current().error, /4001/);
  assert.equal(status.current().attempt, 0);
});

test('SocketIo_WithNobodyThere_GivesUpAfterItsAttempts_AndGetsItsOwnWayBack', async () => {
  const socket = io(`http://127.0.0.1:${await deadPort()}`, { transports: ['websocket'], forceNew: true });
  cleanup.push(() => socket.disconnect());
  const status = connectionStatus(socket, kQuick);
  const seen = [];
  status.subscribe(({ state }) => seen.push(state));
  assert.equal(status.current().state, 'connecting');
  assert.equal(socket.io.reconnection(), false);
  await eventually(() => status.current().state === 'failed', 'the end');
  assert.equal(seen.filter((state) => state === 'error').length, 3);
  status.stop();
  assert.equal(socket.io.reconnection(), true);
});

