// The real client of Socket.IO against the server: every transport, the events that the server answers, ends and returns.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { eventually, reasonRow, startServer } from './harness.mjs';
import { channelAuth } from './http_client.mjs';
import {
  closeSioClients, kWays, sioCall, sioClient, sioConnected, sioEvent, sioNotSeen, sioOnce, sioBack, sioReady, sioSignin,
  sioSubscribe,
} from './sio_clients.mjs';
import { engineRequest, engineUpgrade, sleep } from './sio_engine.mjs';
import { kOurs, signinArgument, startTarget } from './sio_target.mjs';

const kShop = Object.freeze({ id: 'shop-id', key: 'shop-key', secret: 'shop-secret', client_events: true });

/** Asserts a refusal whose id is a row of the table. */
function assertRefused(answer, id) {
  assert.equal(answer.ok, false, JSON.stringify(answer));
  assert.equal(typeof answer.message, 'string');
  reasonRow(answer.error);
  if (id !== undefined) assert.equal(answer.error, id);
}

describe('socketio_client echo', () => {
  let target;
  before(async () => {
    target = await startTarget({ socketio: { protocol_suite: true } });
  });
  after(() => target?.stop());
  afterEach(closeSioClients);

  for (const [way, transports] of Object.entries(kWays)) {
    it(`connects, echoes text and binary and acknowledges (${way})`, async () => {
      const socket = await sioConnected(target, { transports, auth: { token: '123' } });
      assert.equal(socket.io.engine.transport.name, transports.at(-1));
      assert.deepEqual(await sioEvent(socket, 'auth'), [{ token: '123' }]);
      const bytes = Buffer.from([0, 1, 0x1e, 255]);
      const args = [1, 'zwei', { drei: [true, null, bytes] }, Buffer.alloc(0)];
      socket.emit('message', ...args);
      assert.deepEqual(await sioEvent(socket, 'message-back'), args);
      assert.deepEqual(await sioCall(socket, 'message-with-ack', { a: bytes }), { a: bytes });
      const long = 'ü'.repeat(200_000);
      assert.equal(await sioCall(socket, 'message-with-ack', long), long);
    });

    it(`many events in both directions stay in order (${way})`, async () => {
      const socket = sioClient(target, { transports });
      const count = 300;
      // From the first moment on, so that with an upgrade some take one transport and some the other.
      socket.on('connect', async () => {
        for (let i = 0; i < count; ++i) {
          socket.emit('message', i, Buffer.from([i & 255]));
          if (i % 20 === 0) await sleep(5);
        }
      });
      await sioEvent(socket, 'message-back', { test: (i) => i === count - 1 });
      const back = socket.seen.filter(([name]) => name === 'message-back');
      assert.deepEqual(back.map(([, i]) => i), Array.from({ length: count }, (_, i) => i));
      assert.ok(back.every(([, i, bytes]) => bytes[0] === (i & 255)));
    });
  }

  it('several namespaces share one connection', async () => {
    const main = sioClient(target, { forceNew: true });
    const custom = main.io.socket('/custom');
    await Promise.all([sioReady(main), sioOnce(custom, 'connect')]);
    assert.notEqual(main.id, custom.id);
    custom.disconnect();
    assert.equal(await sioCall(main, 'message-with-ack', 'still'), 'still');
    custom.connect();
    await sioOnce(custom, 'connect');
  });

  it('an unknown namespace is refused and not tried again', async () => {
    const socket = sioClient(target, { nsp: '/nope' });
    const [error] = await sioOnce(socket, 'connect_error');
    assert.equal(error.message, 'Invalid namespace');
    assert.equal(socket.active, false);
  });

  it('who disconnects and connects again has another id', async () => {
    const socket = await sioConnected(target);
    const { id } = socket;
    socket.disconnect();
    socket.connect();
    await sioReady(socket);
    assert.notEqual(socket.id, id);
    assert.ok(!socket.recovered);
  });

  for (const [way, transports] of Object.entries(kWays)) {
    it(`disconnect by the server is final for the client (${way})`, async () => {
      for (const close of [false, true]) {
        const socket = await sioConnected(target, { transports });
        const gone = sioOnce(socket, 'disconnect');
        await target.disconnect({ sockets: [socket.id], close });
        assert.equal((await gone)[0], 'io server disconnect');
        assert.equal(socket.active, false);
      }
    });

    it(`a client that leaves is gone for the server (${way})`, kOurs, async () => {
      const socket = await sioConnected(target, { transports });
      const { id } = socket;
      const listed = async () => (await target.get('sockets')).sockets.some((other) => other.id === id);
      assert.equal(await listed(), true);
      socket.disconnect();
      await eventually(async () => !(await listed()), 'the end of the socket');
    });
  }

  it('eleven attachments end the connection, and the client comes back', async () => {
    const socket = await sioConnected(target);
    const gone = sioOnce(socket, 'disconnect');
    socket.emit('message', ...Array.from({ length: 11 }, () => Buffer.from([1])));
    assert.equal((await gone)[0], 'transport close');
    await sioBack(socket);
  });

  it('volatile events reach a client that is ready', async () => {
    const socket = await sioConnected(target, { transports: ['websocket'] });
    await sioCall(socket, 'message-with-ack', 'nothing is under way any more');
    await target.emit({ event: 'v', args: [1], sockets: [socket.id], volatile: true });
    assert.deepEqual(await sioEvent(socket, 'v'), [1]);
  });
});

describe('socketio_client rooms', kOurs, () => {
  let target;
  before(async () => {
    target = await startTarget({
      apps: [{}, { id: 'quiet', key: 'quiet-key', secret: 's', client_events: false }],
      socketio: { namespaces: ['/quiet app=quiet'] },
    });
  });
  after(() => target?.stop());
  afterEach(closeSioClients);

  const publish = (channel, event, data) => target.server.publish(channel, event, JSON.stringify(data));

  for (const [way, transports] of Object.entries(kWays)) {
    it(`subscribes, reads, and unsubscribes (${way})`, async () => {
      const socket = await sioConnected(target, { transports });
      assert.deepEqual(await sioSubscribe(socket, 'orders'), { ok: true });
      assert.equal((await sioCall(socket, 'subscribe', { channel: 'others' })).ok, true);
      await publish('orders', 'order.paid', { id: 5 });
      assert.deepEqual(await sioEvent(socket, 'order.paid'), [{ id: 5 }]);
      assert.deepEqual(await sioCall(socket, 'unsubscribe', 'orders'), { ok: true });
      assert.equal((await sioCall(socket, 'unsubscribe', { channel: 'never-joined' })).ok, true);
      await publish('orders', 'late', 1);
      await publish('others', 'marker', 1);
      await sioEvent(socket, 'marker');
      await sioNotSeen(socket, 'late');
    });
  }

  it('subscribing twice is fine, and each event comes once', async () => {
    const socket = await sioConnected(target);
    for (let i = 0; i < 2; ++i) await sioSubscribe(socket, 'twice');
    await publish('twice', 'e', 1);
    await publish('twice', 'marker', 1);
    await sioEvent(socket, 'marker');
    assert.equal(socket.seen.filter(([name]) => name === 'e').length, 1);
  });

  it('requests without sense are refused by a row of the table', async () => {
    const socket = await sioConnected(target);
    for (const argument of [undefined, null, 5, '', {}, [], { channel: 5 }, '#public', 'x'.repeat(300)]) {
      const args = argument === undefined ? [] : [argument];
      assertRefused(await sioCall(socket, 'subscribe', ...args));
    }
    assertRefused(await sioCall(socket, 'unsubscribe'));
    assertRefused(await sioCall(socket, 'signin'));
    assertRefused(await sioCall(socket, 'publish', 'text'));
    assertRefused(await sioCall(socket, 'subscribe', '#server-to-user-5'));
    socket.emit('subscribe', 'without-ack');
    await eventually(async () => (await target.get('rooms')).rooms['without-ack'] === 1, 'the room joined silently');
  });

  it('private rooms need a signature over the id of the socket and the room', async () => {
    const [socket, other] = await Promise.all([sioConnected(target), sioConnected(target)]);
    assert.deepEqual(await sioSubscribe(socket, 'private-a'), { ok: true });
    const channel = 'private-a';
    const sign = (id, room, app = target.app) => channelAuth(app, id, room);
    const foreign = [sign(other.id, 'private-b'), sign(socket.id, channel), sign(other.id, channel, kShop)];
    for (const auth of [undefined, '', 'x', ...foreign]) {
      assertRefused(await sioCall(other, 'subscribe', { channel, auth }), 'channel_auth_invalid');
    }
    assertRefused(await sioCall(other, 'subscribe', channel), 'channel_auth_invalid');
    await publish(channel, 'secret', 1);
    await sioEvent(socket, 'secret');
    await sioNotSeen(other, 'secret');
  });

  it('presence rooms tell who is there, who comes and who goes', async () => {
    const [a, b, c] = await Promise.all([sioConnected(target), sioConnected(target), sioConnected(target)]);
    const channel = 'presence-a';
    const first = await sioSubscribe(a, channel, { user_id: 'a', user_info: { name: 'Anna' } });
    assert.deepEqual(first, { ok: true, me: 'a', members: [{ user_id: 'a', user_info: { name: 'Anna' } }] });
    const second = await sioSubscribe(b, channel, { user_id: 'b' });
    assert.equal(second.me, 'b');
    assert.deepEqual(second.members.map(({ user_id }) => user_id).sort(), ['a', 'b']);
    const [added] = await sioEvent(a, 'member_added');
    assert.deepEqual([added.channel, added.user_id], [channel, 'b']);
    await sioSubscribe(c, channel, { user_id: 'b', user_info: { tab: 2 } });
    await sioCall(b, 'unsubscribe', channel);
    c.disconnect();
    assert.deepEqual(await sioEvent(a, 'member_removed'), [{ channel, user_id: 'b' }]);
    assert.equal(a.seen.filter(([name]) => name === 'member_added').length, 1, 'one user with two connections');
    assert.deepEqual(b.seen.filter(([name]) => name.startsWith('member_')), []);
  });

  it('signin names the user, once', async () => {
    const socket = await sioConnected(target);
    const wrong = { ...signinArgument(target.app, socket.id, { id: 'u1' }), auth: 'app-key:00' };
    assertRefused(await sioCall(socket, 'signin', wrong), 'signin_invalid');
    assert.deepEqual(await sioSignin(socket, { id: 'u1' }), { ok: true });
    const other = signinArgument(target.app, socket.id, { id: 'u2' });
    assertRefused(await sioCall(socket, 'signin', other), 'signin_other_user');
    assert.deepEqual(await target.get('users/u1'), { online: true, sockets: 1 });
  });

  it('publish reaches everybody else in the room', async () => {
    const [a, b] = await Promise.all([sioConnected(target), sioConnected(target, { transports: ['polling'] })]);
    const channel = 'private-talk';
    for (const socket of [a, b]) await sioSubscribe(socket, channel);
    assert.deepEqual(await sioCall(a, 'publish', { channel, event: 'client-x', data: { n: [1, null] } }), { ok: true });
    assert.deepEqual(await sioEvent(b, 'client-x'), [{ n: [1, null] }]);
    assert.equal((await sioCall(a, 'publish', { channel, event: 'client-y', data: 'text' })).ok, true);
    assert.deepEqual(await sioEvent(b, 'client-y'), ['text']);
    await publish(channel, 'marker', 1);
    await sioEvent(a, 'marker');
    await sioNotSeen(a, 'client-x');
  });

  it('publish may carry binary', async () => {
    const [a, b] = await Promise.all([sioConnected(target), sioConnected(target)]);
    const channel = 'private-bytes';
    for (const socket of [a, b]) await sioSubscribe(socket, channel);
    const bytes = Buffer.from([1, 2, 3]);
    assert.deepEqual(await sioCall(a, 'publish', { channel, event: 'client-b', data: { bytes } }), { ok: true });
    assert.deepEqual(await sioEvent(b, 'client-b'), [{ bytes }]);
  });

  it('publish follows the rules of client events', async () => {
    const [socket, quiet] = await Promise.all([sioConnected(target), sioConnected(target, { nsp: '/quiet' })]);
    await sioSubscribe(socket, 'private-mine');
    await sioSubscribe(socket, 'public');
    const rows = [
      [{ channel: 'private-mine', event: 'x' }, 'socketio_event_name_refused'],
      [{ channel: 'private-other', event: 'client-x' }, 'client_event_not_subscribed'],
      [{ channel: 'public', event: 'client-x' }, 'client_event_channel_refused'],
      [{ channel: 'private-mine', event: 'client-x', data: 'x'.repeat(150_000) }, 'client_event_too_big'],
      [{ channel: 'private-mine', event: `client-${'x'.repeat(300)}` }, 'client_event_name_too_long'],
    ];
    for (const [request, id] of rows) assertRefused(await sioCall(socket, 'publish', request), id);
    assertRefused(await sioCall(quiet, 'publish', { channel: 'private-q', event: 'client-x' }), 'client_events_disabled');
  });

  it('the rate of client events is limited', async () => {
    const socket = await sioConnected(target);
    const channel = 'private-rate';
    await sioSubscribe(socket, channel);
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => sioCall(socket, 'publish', { channel, event: 'client-x', data: 1 })),
    );
    assert.ok(answers.some(({ ok }) => ok));
    assertRefused(answers.find(({ ok }) => !ok), 'client_event_rate_limited');
  });

  it('a cache channel gives its last event to whoever subscribes', async () => {
    await publish('cache-last', 'state', { n: 7 });
    const socket = await sioConnected(target);
    await sioSubscribe(socket, 'cache-last');
    assert.deepEqual(await sioEvent(socket, 'state'), [{ n: 7 }]);
  });
});

describe('socketio_client namespaces', kOurs, () => {
  let target;
  before(async () => {
    target = await startTarget({
      apps: [{}, kShop],
      socketio: {
        namespaces: ['/custom', '/shop app=shop-id scope=shop.', '/open scope=', '/main app=app-id'],
        namespaces_max: 3,
      },
    });
  });
  after(() => target?.stop());
  afterEach(closeSioClients);

  const publish = async (app, channel, event) => {
    const body = { name: event, channels: [channel], data: '1' };
    const response = await target.server.request('POST', '/events', { app, body });
    assert.equal(response.status, 200, response.text);
  };

  it('each reads its app under its scope', async () => {
    const rows = [
      ['/', target.app, 'room'],
      ['/custom', target.app, 'custom:room'],
      ['/shop', kShop, 'shop.room'],
      ['/open', target.app, 'room'],
    ];
    for (const [nsp, app, channel] of rows) {
      const socket = await sioConnected(target, { nsp });
      await sioSubscribe(socket, 'room');
      for (const [, other_app, other] of rows) {
        if (other_app !== app || other !== channel) await publish(other_app, other, 'foreign');
      }
      await publish(app, channel, 'own');
      await sioEvent(socket, 'own');
      await sioNotSeen(socket, 'foreign');
      socket.disconnect();
    }
  });

  it('a private room keeps its kind in a scope, and is signed by the name the client gives', async () => {
    const socket = await sioConnected(target, { nsp: '/custom' });
    await sioSubscribe(socket, 'private-orders');
    await publish(target.app, 'private-custom:orders', 'e');
    await sioEvent(socket, 'e');
    const shop = await sioConnected(target, { nsp: '/shop' });
    const channel = 'private-orders';
    assertRefused(await sioCall(shop, 'subscribe', { channel, auth: channelAuth(target.app, shop.id, channel) }));
    assert.equal((await sioCall(shop, 'subscribe', { channel, auth: channelAuth(kShop, shop.id, channel) })).ok, true);
  });

  it('presence events name the room as the client knows it', async () => {
    const [a, b] = await Promise.all([1, 2].map(() => sioConnected(target, { nsp: '/custom' })));
    await sioSubscribe(a, 'presence-x', { user_id: 'a' });
    await sioSubscribe(b, 'presence-x', { user_id: 'b' });
    assert.equal((await sioEvent(a, 'member_added'))[0].channel, 'presence-x');
  });

  it('a connection may join a limited number', async () => {
    const main = await sioConnected(target);
    const others = ['/custom', '/shop'].map((nsp) => main.io.socket(nsp));
    await Promise.all(others.map((socket) => sioOnce(socket, 'connect')));
    const [error] = await sioOnce(main.io.socket('/open'), 'connect_error');
    assert.equal(error.message, reasonRow('socketio_too_many_namespaces').text);
    assert.equal(main.connected, true);
  });

  it('the emit API of an app reaches its own namespaces only', async () => {
    const response = await target.request('POST', 'emit', { body: { namespace: '/shop', event: 'e' } });
    assert.ok([400, 403, 404].includes(response.status), response.text);
    const shop = await sioConnected(target, { nsp: '/shop' });
    await target.emit({ namespace: '/shop', event: 'e', args: [1] }, { app: kShop });
    assert.deepEqual(await sioEvent(shop, 'e'), [1]);
  });
});

describe('socketio_client limits and ends', () => {
  afterEach(closeSioClients);

  /** Runs `test` with a target of its own. */
  async function withTarget(options, test) {
    const target = await startTarget(options);
    try {
      await test(target);
    } finally {
      closeSioClients();
      await target.stop();
    }
  }

  for (const [way, transports] of [['polling', ['polling']], ['websocket', ['websocket']]]) {
    it(`a payload that is too large ends the connection, and the client comes back (${way})`, () =>
      withTarget({ socketio: { protocol_suite: true, message_bytes_max: 2000 } }, async (target) => {
        const socket = await sioConnected(target, { transports });
        const gone = sioOnce(socket, 'disconnect');
        socket.emit('message', 'x'.repeat(3000));
        assert.equal((await gone)[0], way === 'polling' ? 'transport error' : 'transport close');
        await sioBack(socket);
        assert.equal(await sioCall(socket, 'message-with-ack', 'small'), 'small');
      }));

    it(`a foreign origin is refused (${way})`, kOurs, () =>
      withTarget({ apps: [{ allowed_origins: ['shop.example'] }] }, async (target) => {
        const origin = (host) => ({ transports, extraHeaders: { Origin: `https://${host}` } });
        await sioConnected(target, origin('shop.example'));
        const refused = sioClient(target, { ...origin('evil.example'), reconnection: false });
        await sioOnce(refused, 'connect_error');
        assert.equal(refused.connected, false);
        const headers = { Origin: 'https://evil.example' };
        if (way === 'polling') {
          const response = await engineRequest(target, 'GET', {}, { headers });
          assert.deepEqual([response.status, response.json.code], [403, 4]);
        } else {
          const { raw, response } = await engineUpgrade(target, {}, { headers });
          assert.ok(response.status === 400 || response.status === 403, String(response.status));
          raw.destroy();
        }
      }));

    it(`a server that stops is left, and found again (${way})`, kOurs, async () => {
      for (const end of ['kill9', 'stop']) {
        const first = await startServer();
        const target = { ...first, host: first.host, port: first.port, path: '/socket.io/', app: first.app };
        const socket = await sioConnected(target, { transports });
        const { id } = socket;
        const gone = sioOnce(socket, 'disconnect');
        await first[end]();
        const [reason] = await gone;
        assert.match(reason, /^transport (close|error)$/);
        assert.equal(socket.active, true, 'the client tries again');
        const second = await startServer({ port: first.port });
        try {
          await sioBack(socket);
          assert.notEqual(socket.id, id);
          assert.ok(!socket.recovered);
          await sioSubscribe(socket, 'again');
          await second.publish('again', 'e', '1');
          assert.deepEqual(await sioEvent(socket, 'e'), [1]);
        } finally {
          closeSioClients();
          await second.stop();
        }
      }
    });
  }

  it('terminated users are told for good, users who shall reconnect come back', kOurs, () =>
    withTarget({}, async (target) => {
      const terminated = await sioConnected(target);
      await sioSignin(terminated, { id: 'out' });
      const gone = sioOnce(terminated, 'disconnect');
      await target.server.request('POST', '/users/out/terminate_connections', { body: '{}' });
      assert.equal((await gone)[0], 'io server disconnect');
      assert.equal(terminated.active, false);
      const moved = await sioConnected(target);
      await sioSignin(moved, { id: 'move' });
      const left = sioOnce(moved, 'disconnect');
      await target.server.request('POST', '/users/move/force_reconnect', { body: '{}' });
      assert.equal((await left)[0], 'transport close');
      await sioBack(moved);
    }));

  it('a server without Socket.IO does not know its path', kOurs, async () => {
    const server = await startServer({ socketio: { enabled: false } });
    try {
      const target = { host: server.host, port: server.port, prefix: '', path: '/socket.io/' };
      assert.equal((await engineRequest(target, 'GET')).status, 404);
    } finally {
      await server.stop();
    }
  });

  it('another path can be chosen', kOurs, () =>
    withTarget({ socketio: { path: '/realtime/' } }, async (target) => {
      await sioConnected(target);
      assert.equal((await engineRequest(target, 'GET', {}, { path: '/socket.io/' })).status, 404);
    }));

  it('websocket only servers take websocket clients', () =>
    withTarget({ socketio: { transports: ['websocket'], protocol_suite: true } }, async (target) => {
      const socket = await sioConnected(target, { transports: ['websocket'] });
      assert.equal(await sioCall(socket, 'message-with-ack', 1), 1);
    }));
});
