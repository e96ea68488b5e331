// withRecovery() with the real pusher-js against a server that can be told to misbehave.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import Echo from 'laravel-echo';

import { withRecovery } from '../dist/recovery.js';
import { FakeClock } from './fake_clock.mjs';
import { FakePusherServer } from './fake_pusher_server.mjs';
import { connected, disconnectAll, numbers, pusherClient, record } from './pusher_client.mjs';
import { eventually } from './wait.mjs';

let server;

beforeEach(async () => {
  server = await FakePusherServer.start();
});
afterEach(async () => {
  disconnectAll();
  await server.close();
});

const publish = (...values) => {
  for (const n of values) server.publish('c', 'e', { n });
};

/** A client with the plugin, subscribed to "c"; `seen` is what the channel emitted. */
async function subscriber(options = {}) {
  const pusher = pusherClient(server.port);
  const recovery = withRecovery(pusher, options);
  const channel = pusher.subscribe('c');
  const seen = record(channel);
  await eventually(() => channel.subscribed, 'the subscription');
  return { pusher, recovery, channel, seen };
}

/** Cuts the connection, does `away`, and resolves when the client is subscribed again. */
async function interrupt({ pusher, channel }, away = () => {}) {
  const { socket_id } = pusher.connection;
  server.cut();
  away();
  await connected(pusher, socket_id);
  await eventually(() => channel.subscribed, 'the next subscription');
}

const got = (client, n) => eventually(() => numbers(client.seen).includes(n), `event ${n}`);

test('Subscribe_First_AsksForPositionsAndKeepsThem', async () => {
  publish(1, 2);
  const client = await subscriber();
  assert.deepEqual(server.subscribes('c')[0].recover, true);
  assert.deepEqual(client.recovery.position('c'), { epoch: 'epoch-1', offset: 2 });
  publish(3);
  await got(client, 3);
  assert.deepEqual(client.recovery.position('c'), { epoch: 'epoch-1', offset: 3 });
});

test('Reconnect_AfterMissedEvents_DeliversEachOnceInOrder', async () => {
  const told = [];
  const client = await subscriber({ onRecovered: (what) => told.push(what), onNotRecovered: (what) => told.push(what) });
  publish(1, 2);
  await got(client, 2);
  await interrupt(client, () => publish(3, 4));
  publish(5);
  await got(client, 5);
  assert.deepEqual(numbers(client.seen), [1, 2, 3, 4, 5]);
  assert.deepEqual(server.subscribes('c')[1].recover, { epoch: 'epoch-1', offset: 2 });
  const recovered = { channel: 'c', from: { epoch: 'epoch-1', offset: 2 }, to: { epoch: 'epoch-1', offset: 4 } };
  assert.deepEqual(told, [recovered]);
  const order = client.seen.map(([name, data]) => data?.n ?? name);
  assert.deepEqual(order.slice(3), ['pusher:subscription_succeeded', 'kilat:recovered', 3, 4, 5]);
});

test('Reconnect_ManyTimes_LosesAndDoublesNothing', async () => {
  const client = await subscriber();
  const all = [];
  for (let round = 0; round < 4; round++) {
    const base = round * 10;
    publish(base + 1, base + 2);
    await got(client, base + 2);
    await interrupt(client, () => publish(base + 3, base + 4));
    await got(client, base + 4);
    all.push(base + 1, base + 2, base + 3, base + 4);
  }
  assert.deepEqual(numbers(client.seen), all);
  assert.equal(client.recovery.stats.recovered, 4);
});

test('Replay_CutInItsMiddle_GoesOnWhereItEnded', async () => {
  const client = await subscriber();
  publish(1);
  await got(client, 1);
  server.cutReplayAfter = 2;
  server.cut();
  publish(2, 3, 4, 5);
  await got(client, 5);
  assert.deepEqual(numbers(client.seen), [1, 2, 3, 4, 5]);
  assert.deepEqual(server.subscribes('c').map(({ recover }) => recover.offset ?? recover), [true, 1, 3]);
});

test('Replay_WithEventsSeenBefore_WithholdsThem', async () => {
  const client = await subscriber();
  publish(1, 2, 3);
  await got(client, 3);
  server.repeat = 2;
  await interrupt(client, () => publish(4));
  await got(client, 4);
  assert.deepEqual(numbers(client.seen), [1, 2, 3, 4]);
  assert.equal(client.recovery.stats.duplicates, 2);
});

for (const [reason, lose] of [
  ['history_epoch', () => server.forget('epoch-2')],
  ['history_expired', () => server.expire('c', 9)],
]) {
  test(`Reconnect_WhenHistoryIsLost_Says_${reason}`, async () => {
    const told = [];
    const client = await subscriber({ onNotRecovered: (what) => told.push(what) });
    publish(1, 2);
    await got(client, 2);
    await interrupt(client, lose);
    await eventually(() => told.length > 0, 'the bad news');
    assert.deepEqual(told, [{ channel: 'c', reason }]);
    assert.deepEqual(client.seen.filter(([name]) => name === 'kilat:not_recovered'), [['kilat:not_recovered', { channel: 'c', reason }]]);
    publish(7);
    await got(client, 7);
    assert.equal(client.recovery.position('c').epoch, server.epoch);
  });
}

test('Reconnect_ToAServerWithoutHistory_SaysSoAndStaysAPlainClient', async () => {
  const client = await subscriber();
  publish(1);
  await got(client, 1);
  server.history = false;
  await interrupt(client);
  await eventually(() => client.recovery.stats.notRecovered === 1, 'the bad news');
  assert.equal(client.seen.at(-1)[1].reason, 'unsupported');
  assert.equal(client.recovery.position('c'), null);
  publish(2, 3);
  await got(client, 3);
  assert.deepEqual(numbers(client.seen), [1, 2, 3]);
  server.sayOff = true;
  await interrupt(client);
  // Without a position there is nothing to recover, and so nothing to say.
  assert.equal(client.recovery.stats.notRecovered, 1);
});

test('ServerWithoutHistory_SeesAnUnchangedClient', async () => {
  server.history = false;
  const client = await subscriber();
  publish(1);
  await got(client, 1);
  await interrupt(client, () => publish(2));
  publish(3);
  await got(client, 3);
  assert.deepEqual(numbers(client.seen), [1, 3]);
  assert.deepEqual(client.recovery.stats, { recovered: 0, notRecovered: 0, duplicates: 0 });
});

test('Rewind_OnFirstSubscribe_DeliversThePastAndIsNotAskedAgain', async () => {
  publish(1, 2, 3, 4);
  const client = await subscriber({ rewind: { c: { count: 2 } } });
  await got(client, 4);
  assert.deepEqual(server.subscribes('c')[0].rewind, { count: 2 });
  assert.equal(server.subscribes('c')[0].recover, undefined);
  await interrupt(client, () => publish(5));
  await got(client, 5);
  assert.deepEqual(numbers(client.seen), [3, 4, 5]);
  assert.deepEqual(server.subscribes('c')[1].recover, { epoch: 'epoch-1', offset: 4 });
});

test('Rewind_CutBeforeItsEnd_GoesOnWhereItEnded', async () => {
  publish(1, 2, 3, 4);
  server.cutReplayAfter = 1;
  const client = await subscriber({ rewind: () => ({ count: 3 }) });
  await got(client, 4);
  assert.deepEqual(numbers(client.seen), [2, 3, 4]);
});

test('Rewind_CutBeforeItsFirstEvent_IsAskedForAgain', async () => {
  publish(1, 2);
  server.cutReplayAfter = 0;
  const client = await subscriber({ rewind: () => ({ count: 2 }) });
  await got(client, 2);
  assert.deepEqual(server.subscribes('c').map(({ rewind }) => rewind), [{ count: 2 }, { count: 2 }]);
  assert.deepEqual(numbers(client.seen), [1, 2]);
});

test('Rewind_ThatFoundNothing_IsFollowedByRecovery', async () => {
  const clock = new FakeClock();
  const client = await subscriber({ rewind: { c: { count: 2 } }, clock });
  await clock.advance(6000);
  await interrupt(client, () => publish(1));
  await got(client, 1);
  assert.deepEqual(server.subscribes('c')[1].recover, { epoch: 'epoch-1', offset: 0 });
});

test('Unsubscribe_ForgetsThePosition', async () => {
  const client = await subscriber();
  publish(1);
  await got(client, 1);
  client.pusher.unsubscribe('c');
  assert.equal(client.recovery.position('c'), null);
  publish(2);
  const again = client.pusher.subscribe('c');
  await eventually(() => again.subscribed, 'the second subscription');
  assert.equal(server.subscribes('c')[1].recover, true);
});

test('HandlerThatThrows_DoesNotGetTheEventTwice', async () => {
  const client = await subscriber();
  let calls = 0;
  client.channel.bind('e', ({ n }) => {
    if (n === 1 && ++calls) throw new Error('of the application');
  });
  const { transport } = client.pusher.connection.connection;
  const frame = { data: JSON.stringify({ event: 'e', channel: 'c', data: '{"n":1}', offset: 1 }) };
  assert.throws(() => transport.emit('message', frame), /of the application/);
  assert.deepEqual(client.recovery.position('c'), { epoch: 'epoch-1', offset: 1 });
  let activity = 0;
  transport.bind('activity', () => activity++);
  transport.emit('message', frame);
  assert.equal(calls, 1);
  // What is withheld is a sign of life all the same.
  assert.equal(activity, 1);
});

test('LiveChannelThatCountsFromOneAgain_IsNotSilenced', async () => {
  const client = await subscriber();
  publish(1, 2, 3);
  await got(client, 3);
  server.publish('c', 'e', { n: 10 }, { offset: 1 });
  server.publish('c', 'e', { n: 11 }, { offset: 2 });
  await got(client, 11);
  assert.deepEqual(numbers(client.seen), [1, 2, 3, 10, 11]);
  assert.equal(client.recovery.stats.notRecovered, 1);
  assert.equal(client.recovery.position('c'), null);
});

test('Channels_ThatAreLeftOut_AreNotAskedFor', async () => {
  const client = await subscriber({ channels: (name) => name !== 'c' });
  client.pusher.subscribe('d');
  await eventually(() => server.subscribes('d').length === 1, 'the other subscribe');
  assert.equal('recover' in server.subscribes('c')[0], false);
  assert.equal(server.subscribes('d')[0].recover, true);
});

test('PrivateAndPresence_KeepTheirAuthAndRecover', async () => {
  const pusher = pusherClient(server.port);
  withRecovery(pusher);
  const channel = pusher.subscribe('presence-room');
  const seen = record(channel);
  await eventually(() => channel.subscribed, 'the subscription');
  const [asked] = server.subscribes('presence-room');
  assert.equal(asked.auth, 'app-key:signature');
  assert.equal(channel.members.me.info.name, 'Ada');
  server.publish('presence-room', 'e', { n: 1 });
  await eventually(() => numbers(seen).length === 1, 'an event');
  server.cut();
  server.publish('presence-room', 'e', { n: 2 });
  await eventually(() => numbers(seen).length === 2, 'the missed event');
  assert.deepEqual(numbers(seen), [1, 2]);
});

test('Reload_WithStorage_GoesOnWhereThePageWas', async () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => void kept.set(key, text) };
  const clock = new FakeClock();
  const first = await subscriber({ storage, clock });
  publish(1, 2);
  await got(first, 2);
  assert.equal(kept.size, 0);
  await clock.advance(1000);
  assert.equal(kept.size, 1);
  first.pusher.disconnect();
  publish(3);

  const second = await subscriber({ storage, clock, rewind: () => ({ count: 10 }) });
  await got(second, 3);
  assert.deepEqual(numbers(second.seen), [3]);
  second.recovery.save();
  second.recovery.stop();
  second.pusher.disconnect();
  await clock.advance(300_001);
  const late = await subscriber({ storage, clock });
  assert.equal(server.subscribes('c').at(-1).recover, true);
  assert.ok(late.recovery.position('c'));
});

test('Storage_ThatFailsOrIsGarbled_CostsNothingElse', async () => {
  for (const storage of [
    { getItem: () => '{"at":1e15,"channels":[["c",{"epoch":7,"offset":"x"}]]}', setItem() {} },
    { getItem: () => 'not json', setItem() {} },
    {
      getItem() {
        throw new Error('denied');
      },
      setItem() {
        throw new Error('full');
      },
    },
  ]) {
    const client = await subscriber({ storage });
    assert.equal(server.subscribes('c').at(-1).recover, true);
    client.recovery.save();
    client.pusher.disconnect();
  }
});

test('Echo_RecoversThroughItsConnectorsClient', async () => {
  const echo = new Echo({ broadcaster: 'pusher', key: 'app-key', client: pusherClient(server.port) });
  const { pusher } = echo.connector;
  withRecovery(pusher);
  const heard = [];
  const bad = [];
  echo.channel('c').listen('.e', ({ n }) => heard.push(n)).listen('.kilat:not_recovered', ({ reason }) => bad.push(reason));
  await eventually(() => server.subscribers('c') === 1, 'the subscription');
  publish(1);
  await eventually(() => heard.includes(1), 'the first event');
  server.cut();
  publish(2);
  await eventually(() => heard.includes(2), 'the missed event');
  server.cut();
  server.forget('epoch-2');
  await eventually(() => bad.length > 0, 'the bad news');
  assert.deepEqual([heard, bad], [[1, 2], ['history_epoch']]);
});

test('OffsetsThatAreNone_DoNotKeepAnEventBack', async () => {
  const client = await subscriber();
  publish(1);
  await got(client, 1);
  for (const [n, offset] of [[2, 0], [3, -1], [4, 1.5], [5, '1'], [6, 'x'], [7, 2 ** 53]]) server.publish('c', 'e', { n }, { offset });
  await got(client, 7);
  assert.deepEqual(numbers(client.seen), [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(client.recovery.position('c'), { epoch: 'epoch-1', offset: 1 });
});

test('Stop_LeavesAPlainClient_AndASecondCallFindsTheFirstPlugin', async () => {
  const client = await subscriber();
  assert.equal(withRecovery(client.pusher), client.recovery);
  client.recovery.stop();
  await interrupt(client);
  assert.equal('recover' in server.subscribes('c')[1], false);
  publish(1);
  await got(client, 1);
});

test('SetPosition_BeforeTheSubscribe_IsWhereItBegins', async () => {
  publish(1, 2, 3);
  const pusher = pusherClient(server.port);
  const recovery = withRecovery(pusher);
  recovery.setPosition('c', { epoch: 'epoch-1', offset: 1 });
  assert.throws(() => recovery.setPosition('c', { epoch: '', offset: 1 }), TypeError);
  const seen = record(pusher.subscribe('c'));
  await eventually(() => numbers(seen).length === 2, 'the events after the position');
  assert.throws(() => recovery.setPosition('c', { epoch: 'epoch-1', offset: 1 }), /subscribed already/);
  assert.deepEqual(numbers(seen), [2, 3]);
});

test('UnknownInsideOfPusherJs_IsNotAskedThrough', async () => {
  const pusher = pusherClient(server.port);
  // As if a later pusher-js kept its transport elsewhere.
  pusher.connection.bind('state_change', ({ current }) => {
    if (current !== 'connected') return;
    const { connection } = pusher.connection;
    connection.transport = Object.assign(Object.create(connection.transport), { emit: undefined });
  });
  withRecovery(pusher);
  const seen = record(pusher.subscribe('c'));
  await eventually(() => server.subscribes('c').length === 1, 'the subscribe');
  assert.equal('recover' in server.subscribes('c')[0], false);
  publish(1);
  await eventually(() => numbers(seen).includes(1), 'a live event');
});
