// sharedConnection() with pusherAdapter(): tabs in one process, the real pusher-js, a server of the test's own.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import Echo from 'laravel-echo';

import { withRecovery } from '../dist/recovery.js';
import { pusherAdapter, sharedConnection } from '../dist/shared_connection.js';
import { FakePusherServer } from './fake_pusher_server.mjs';
import { FakeBrowser } from './fake_tabs.mjs';
import { disconnectAll, numbers, pusherClient, record } from './pusher_client.mjs';
import { eventually } from './wait.mjs';

let server;
let browser;
let tabs;

beforeEach(async () => {
  server = await FakePusherServer.start();
  browser = new FakeBrowser();
  tabs = [];
});
afterEach(async () => {
  for (const { shared } of tabs) shared.close();
  disconnectAll();
  await server.close();
});

const kRecovery = { recovery: (pusher) => withRecovery(pusher) };

/** One more tab; its client's own connections are made and ended with it. */
function openTab({ adapter = kRecovery, environment = browser.tab(), gatherMs = 2000 } = {}) {
  const made = [];
  const shared = sharedConnection({
    name: 'test',
    gatherMs,
    environment,
    adapter: pusherAdapter(() => {
      made.push(pusherClient(server.port));
      return made.at(-1);
    }, adapter),
  });
  const tab = {
    shared,
    made,
    environment,
    /** As when the process of the tab died. */
    kill() {
      environment.kill();
      for (const pusher of made) pusher.disconnect();
    },
  };
  tabs.push(tab);
  return tab;
}

/** Subscribes a tab, and resolves with the channel and what it emits. */
async function join(tab, name = 'c') {
  const channel = tab.shared.subscribe(name);
  const seen = record(channel);
  await eventually(() => channel.subscribed, `${name} in a tab`);
  return { channel, seen };
}

async function leaderAndFollowers(count) {
  const leader = openTab();
  await eventually(() => leader.shared.leading && leader.shared.state.state === 'connected', 'the first leader');
  const followers = [];
  for (let i = 0; i < count; i++) followers.push(openTab());
  await eventually(() => followers.every(({ shared }) => shared.state.state === 'connected'), 'the followers');
  return [leader, ...followers];
}

const publish = (...values) => {
  for (const n of values) server.publish('c', 'e', { n });
};
const got = (n, ...joined) => eventually(() => joined.every(({ seen }) => numbers(seen).includes(n)), `event ${n} in all tabs`);

test('ThreeTabs_UseOneConnectionAndOneSubscription', async () => {
  const [leader, ...followers] = await leaderAndFollowers(2);
  assert.deepEqual([leader, ...followers].map(({ shared }) => shared.leading), [true, false, false]);
  const joined = [];
  for (const tab of [leader, ...followers]) joined.push(await join(tab));
  assert.equal(server.connections, 1);
  assert.equal(server.subscribes('c').length, 1);
  publish(1, 2);
  await got(2, ...joined);
  for (const { seen } of joined) assert.deepEqual(numbers(seen), [1, 2]);
  const ids = new Set(tabs.map(({ shared }) => shared.connection.socket_id));
  assert.deepEqual([...ids], [leader.made[0].connection.socket_id]);
});

test('Events_ReachOnlyTabsThatHoldTheChannel', async () => {
  const [a, b] = await leaderAndFollowers(1);
  const mine = await join(b, 'c');
  const other = await join(a, 'd');
  publish(1);
  await got(1, mine);
  assert.deepEqual(numbers(other.seen), []);
  assert.equal(a.shared.channel('c'), undefined);
});

for (const how of ['kill', 'close']) {
  test(`LeaderGone_By_${how}_TheNextOneLosesAndDoublesNothing`, async () => {
    const [leader, ...followers] = await leaderAndFollowers(2);
    const joined = [];
    for (const tab of [leader, ...followers]) joined.push(await join(tab));
    publish(1, 2);
    await got(2, ...joined);
    if (how === 'kill') leader.kill();
    else leader.shared.close();
    publish(3, 4);
    await eventually(() => followers.some(({ shared }) => shared.leading), 'the next leader');
    await got(4, joined[1], joined[2]);
    publish(5);
    await got(5, joined[1], joined[2]);
    for (const { seen } of joined.slice(1)) assert.deepEqual(numbers(seen), [1, 2, 3, 4, 5]);
    assert.deepEqual(numbers(joined[0].seen), [1, 2]);
    assert.deepEqual(server.subscribes('c').at(-1).recover, { epoch: 'epoch-1', offset: 2 });
    assert.equal(server.connections, 1);
  });
}

test('LeadersGoneOneAfterTheOther_TheLastTabHasEverything', async () => {
  const all = await leaderAndFollowers(3);
  const last = all.at(-1);
  const joined = await join(last);
  let n = 0;
  for (const tab of all.slice(0, -1)) {
    publish(++n);
    await got(n, joined);
    // The next leader may be any of those that are left.
    const leader = all.find(({ shared }) => shared.leading);
    if (leader === last) break;
    leader.kill();
    leader.shared.close();
    publish(++n);
    await got(n, joined);
  }
  assert.deepEqual(numbers(joined.seen), Array.from({ length: n }, (_, i) => i + 1));
});

test('TakeOver_ByATabThatIsBehind_GivesEachTabWhatItLacks', async () => {
  const [leader, ahead, behind] = await leaderAndFollowers(2);
  const joined = [await join(ahead), await join(behind)];
  publish(1);
  await got(1, ...joined);
  // A last word of the leader that reached one of the two tabs only.
  const place = { epoch: 'epoch-1', offset: 2 };
  publish(2);
  await got(2, ...joined);
  const lagging = joined[1];
  lagging.seen.length = 0;
  lagging.channel.take({ kind: 'joined', channel: 'c', data: {}, position: { ...place, epoch: 'other' }, late: false });
  lagging.channel.take({ kind: 'joined', channel: 'c', data: {}, position: { ...place, offset: 1 }, late: false });
  leader.kill();
  publish(3);
  await got(3, ...joined);
  assert.deepEqual(numbers(joined[0].seen), [1, 2, 3]);
  assert.deepEqual(numbers(lagging.seen), [2, 3]);
});

test('WithoutRecovery_TakeOverSubscribesAnew', async () => {
  const leader = openTab({ adapter: {} });
  await eventually(() => leader.shared.leading, 'the leader');
  const follower = openTab({ adapter: {} });
  const joined = await join(follower);
  assert.equal('recover' in server.subscribes('c')[0], false);
  leader.kill();
  await eventually(() => server.subscribes('c').length === 2 && server.connections === 1, 'the second subscribe');
  await eventually(() => joined.seen.filter(([name]) => name === 'pusher:subscription_succeeded').length === 2, 'the news');
  publish(1);
  await got(1, joined);
});

test('Subscription_EndsWithItsLastHolder', async () => {
  const [leader, a, b] = await leaderAndFollowers(2);
  await join(a);
  await join(b);
  a.shared.unsubscribe('c');
  await join(leader, 'marker');
  assert.equal(server.subscribers('c'), 1);
  b.kill();
  await eventually(() => server.subscribers('c') === 0, 'the unsubscribe');
  assert.equal(server.subscribers('marker'), 1);
  assert.equal(leader.shared.leading, true);
});

test('TriggeredInOneTab_ReachesTheServerAndTheOtherTabs_NotItself', async () => {
  const [leader, a] = await leaderAndFollowers(1);
  const joined = [await join(leader, 'presence-room'), await join(a, 'presence-room')];
  assert.throws(() => joined[1].channel.trigger('e', {}), /client-/);
  assert.equal(joined[1].channel.trigger('client-typing', { n: 1 }), true);
  await eventually(() => numbers(joined[0].seen, 'client-typing').length === 1, 'the event in the other tab');
  const sent = await eventually(() => server.received.find(({ event }) => event === 'client-typing'), 'the event');
  assert.deepEqual(sent.data, { n: 1 });
  joined[0].channel.trigger('client-typing', { n: 2 });
  await eventually(() => numbers(joined[1].seen, 'client-typing').length === 1, 'the answer');
  assert.deepEqual(joined.map(({ seen }) => numbers(seen, 'client-typing')), [[1], [2]]);
});

test('TriggeredBeforeThereIsALeader_IsKeptAndBounded', () => {
  const environment = browser.tab();
  const { shared } = openTab({ environment });
  const channel = shared.subscribe('private-c');
  const results = Array.from({ length: 101 }, (_, i) => channel.trigger('client-e', { i }));
  assert.deepEqual([results[99], results[100]], [true, false]);
});

test('PresenceChannel_HasItsMembersInEveryTab', async () => {
  const [leader, a] = await leaderAndFollowers(1);
  const joined = [await join(leader, 'presence-room'), await join(a, 'presence-room')];
  const late = await join(openTab(), 'presence-room');
  for (const { channel } of [...joined, late]) {
    assert.equal(channel.members.count, 1);
    assert.deepEqual(channel.members.me, { id: 'u1', info: { name: 'Ada' } });
  }
  const member = (event, data) =>
    server.publish('presence-room', event, data, { offset: undefined, extra: {} });
  server.history = false;
  member('pusher_internal:member_added', { user_id: 'u2', user_info: { name: 'Bob' } });
  await eventually(() => late.channel.members.count === 2, 'the second member');
  assert.deepEqual(late.channel.members.get('u2'), { id: 'u2', info: { name: 'Bob' } });
  const names = [];
  late.channel.members.each(({ info }) => names.push(info.name));
  assert.deepEqual(names, ['Ada', 'Bob']);
  member('pusher_internal:member_removed', { user_id: 'u2' });
  await eventually(() => joined.every(({ channel }) => channel.members.count === 1), 'the end of the second member');
  assert.equal(joined[0].channel.members.get('u2'), null);
});

test('ClientEvent_OfAPresenceChannel_CarriesItsUser', async () => {
  const [, a] = await leaderAndFollowers(1);
  const { channel } = await join(a, 'presence-room');
  const users = [];
  channel.bind('client-e', (data, meta) => users.push(meta.user_id));
  server.history = false;
  server.publish('presence-room', 'client-e', {}, { extra: { user_id: 'u9' } });
  await eventually(() => users.length === 1, 'the event');
  assert.deepEqual(users, ['u9']);
});

test('RefusedAuth_IsHeardInTheTabThatAsked', async () => {
  const environment = browser.tab();
  const shared = sharedConnection({
    name: 'test',
    environment,
    adapter: pusherAdapter(() =>
      pusherClient(server.port, {
        channelAuthorization: { customHandler: (what, callback) => callback(new Error('no'), null) },
      })),
  });
  tabs.push({ shared });
  const follower = openTab();
  const seen = record(follower.shared.subscribe('private-c'));
  await eventually(() => seen.some(([name]) => name === 'pusher:subscription_error'), 'the refusal');
  assert.equal(server.subscribes('private-c').length, 0);
});

test('Reconnect_OfTheLeader_IsSeenInEveryTab', async () => {
  const [leader, a] = await leaderAndFollowers(1);
  const joined = [await join(leader), await join(a)];
  const states = [];
  a.shared.connection.bind('state_change', ({ current }) => states.push(current));
  publish(1);
  await got(1, ...joined);
  server.cut();
  publish(2);
  await got(2, ...joined);
  for (const { seen } of joined) assert.deepEqual(numbers(seen), [1, 2]);
  assert.deepEqual(states, ['connecting', 'connected']);
  assert.equal(joined[1].seen.filter(([name]) => name === 'kilat:recovered').length, 1);
});

test('PageFromTheBrowsersCache_JoinsAgain_AndIsToldWhatItLost', async () => {
  const [leader, a] = await leaderAndFollowers(1);
  const joined = [await join(leader), await join(a)];
  publish(1);
  await got(1, ...joined);
  a.environment.hide();
  assert.equal(a.shared.state.state, 'disconnected');
  publish(2);
  await got(2, joined[0]);
  a.environment.show();
  await eventually(() => joined[1].seen.some(([name]) => name === 'kilat:not_recovered'), 'the news');
  assert.deepEqual(joined[1].seen.at(-1)[1], { channel: 'c', reason: 'tab_late' });
  publish(3);
  await got(3, ...joined);
  assert.deepEqual(numbers(joined[1].seen), [1, 3]);
});

test('LeadingPageThatIsHidden_HandsOverAndMayComeBack', async () => {
  const [leader, a] = await leaderAndFollowers(1);
  const joined = [await join(leader), await join(a)];
  leader.environment.hide();
  await eventually(() => a.shared.leading && joined[1].channel.subscribed && server.connections === 1, 'the next leader');
  leader.environment.show();
  publish(1);
  await eventually(() => leader.shared.state.state === 'connected', 'the page in its new place');
  assert.equal(leader.shared.leading, false);
  publish(2);
  await got(2, ...joined);
});

test('BrowserWithoutLocks_GivesEachTabItsOwnConnection', async () => {
  const environments = [{ ...browser.tab(), locks: null }, { ...browser.tab(), bus: null }];
  const joined = [];
  for (const environment of environments) joined.push(await join(openTab({ environment })));
  assert.equal(server.connections, 2);
  publish(1);
  await got(1, ...joined);
  assert.deepEqual(tabs.map(({ shared }) => shared.leading), [true, true]);
});

test('ClosedTab_IsQuiet_AndLeavesNoLock', async () => {
  const { shared } = openTab();
  const channel = shared.subscribe('c');
  await eventually(() => channel.subscribed, 'the subscription');
  shared.close();
  await eventually(() => browser.waiting('') === 0 && server.connections === 0, 'the end of all locks');
  assert.equal(channel.trigger('client-e', {}), false);
  assert.equal(shared.leading, false);
});

test('TabThatThrowsInAHandler_DoesNotKeepOthersFromTheEvent', async () => {
  const [leader] = await leaderAndFollowers(0);
  const { channel, seen } = await join(leader);
  const thrown = [];
  const previous = globalThis.queueMicrotask;
  globalThis.queueMicrotask = (callback) => previous(() => {
    try {
      callback();
    } catch (error) {
      thrown.push(error.message);
    }
  });
  try {
    const first = [];
    channel.bind('e', () => {
      throw new Error('of the page');
    });
    channel.bind('e', ({ n }) => first.push(n));
    publish(1);
    await got(1, { seen });
    assert.deepEqual(first, [1]);
  } finally {
    globalThis.queueMicrotask = previous;
  }
  assert.deepEqual(thrown, ['of the page']);
});

test('Echo_TakesItAsItsClient', async () => {
  const [, a] = await leaderAndFollowers(1);
  const echo = new Echo({ broadcaster: 'pusher', client: a.shared, key: 'app-key' });
  const heard = [];
  echo.channel('c').listen('.e', ({ n }) => heard.push(n));
  const joined = [];
  echo.private('room').subscribed(() => joined.push('room'));
  await eventually(() => joined.length === 1 && a.shared.channel('c').subscribed, 'the subscriptions');
  publish(1);
  await eventually(() => heard.length === 1, 'the event');
  echo.private('room').whisper('typing', { n: 2 });
  await eventually(() => server.received.some(({ event }) => event === 'client-typing'), 'the whisper');
  assert.equal(echo.socketId(), a.shared.connection.socket_id);
  echo.leave('c');
  await eventually(() => server.subscribers('c') === 0, 'the unsubscribe');
});
