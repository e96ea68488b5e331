// Channel rules, tokens and built-in authorization for both protocols, with the rules of four real systems.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectClose, expectSubscriptionError } from './asserts.mjs';
import { eventually, startServer } from './harness.mjs';
import { send } from './http_client.mjs';
import { connected, disconnectAll, echo, pusherJs } from './sdk_clients.mjs';
import { closeSioClients, sioCall, sioClient, sioConnected, sioEvent, sioOnce } from './sio_clients.mjs';
import { kJwtSecret, token, unixNow } from './tokens.mjs';

const kRules = [
  'admin-dashboard subscribe=role:super-admin|role:admin|role:operator|role:technician publish=role:operator',
  'booking.{userId} subscribe=user:{userId}|role:admin',
  'user.{userId} subscribe=user:{userId}|role:admin',
  'customer.{org}.* subscribe=claim:org={org}&authenticated',
  'team subscribe=authenticated presence=role:admin',
  'asked.* subscribe=role:admin|backend',
  'nobody subscribe=none',
];

const kAdmin = token({ sub: '1', roles: ['admin'], name: 'Ada' });
const kSeven = token({ sub: '7', roles: [], org: 'acme', name: 'Seven' });
const kOperator = token({ sub: '9', roles: 'operator viewer' });

/** Who, which channel, whether they may read it. */
const kMatrix = [
  [null, 'availability', true],
  [null, 'private-admin-dashboard', false],
  [kSeven, 'private-admin-dashboard', false],
  [kAdmin, 'private-admin-dashboard', true],
  [kOperator, 'private-admin-dashboard', true],
  [null, 'private-booking.7', false],
  [kSeven, 'private-booking.7', true],
  [kSeven, 'private-booking.8', false],
  [kAdmin, 'private-booking.8', true],
  [kSeven, 'private-user.7', true],
  [kSeven, 'booking.8', false], // a name is guarded under all of its kinds
  [kSeven, 'booking.7', true],
  [kSeven, 'customer.acme.alerts', true],
  [kSeven, 'customer.other.alerts', false],
  [kAdmin, 'customer.acme.alerts', false],
  [kSeven, 'presence-team', true],
  [null, 'presence-team', false],
  [kAdmin, 'nobody', false],
  [kSeven, 'private-unknown', false], // no rule: a signature is needed
];

function title(who, channel, allowed) {
  const name = who === null ? 'anonymous' : who === kSeven ? 'user 7' : who === kAdmin ? 'the admin' : 'the operator';
  return `${name} ${allowed ? 'reads' : 'is refused'} ${channel}`;
}

describe('rules', () => {
  let server;
  let target;
  let backend;
  let backend_answer;
  const asked = [];
  before(async () => {
    backend = createServer((request, response) => {
      let body = '';
      request.on('data', (bytes) => (body += bytes));
      request.on('end', () => {
        const form = Object.fromEntries(new URLSearchParams(body));
        asked.push({ ...form, authorization: request.headers.authorization, cookie: request.headers.cookie });
        const { status, text } = backend_answer(form);
        response.writeHead(status, { 'Content-Type': 'application/json' }).end(text);
      });
    });
    await new Promise((resolve) => backend.listen(0, '127.0.0.1', resolve));
    server = await startServer({
      apps: [
        {
          jwt_secret: kJwtSecret,
          jwt_info_claims: ['name'],
          jwt_leeway_s: 0,
          jwt_warning_s: 60,
          client_events: false,
          rules: kRules,
          authorize_url: `http://127.0.0.1:${backend.address().port}/broadcasting/auth`,
          authorize_cache_s: 0,
        },
        { id: 'plain', key: 'plain-key' },
      ],
    });
    target = { host: server.host, port: server.port, path: '/socket.io/', server, app: server.app };
    backend_answer = () => ({ status: 403, text: '{}' });
  });
  after(async () => {
    backend?.close();
    await server?.stop();
  });
  afterEach(() => {
    closeSioClients();
    disconnectAll();
    server?.closeClients();
    asked.length = 0;
  });

  async function signedIn(who) {
    const client = await server.connect();
    if (who) {
      client.send({ event: 'pusher:signin', data: { token: who } });
      await client.waitFor('pusher:signin_success');
    }
    return client;
  }
  function authorize(path, who, fields, headers = {}) {
    const bearer = who ? { Authorization: `Bearer ${who}` } : {};
    return send(server, 'POST', path, {
      body: new URLSearchParams(fields).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...bearer, ...headers },
    });
  }

  describe('Pusher', () => {
    for (const [who, channel, allowed] of kMatrix) {
      it(title(who, channel, allowed), async () => {
        const client = await signedIn(who);
        client.send({ event: 'pusher:subscribe', data: { channel } });
        if (allowed) {
          const frame = await client.waitFor('pusher_internal:subscription_succeeded');
          assert.equal(frame.channel, channel);
        } else {
          const frame = await client.waitFor('pusher:subscription_error');
          assert.equal(frame.channel, channel);
        }
      });
    }

    it('a valid signature of the backend admits whatever the rules say', async () => {
      const client = await server.connect();
      const { auth } = server.api().authorizeChannel(client.socket_id, 'private-booking.8');
      client.send({ event: 'pusher:subscribe', data: { channel: 'private-booking.8', auth } });
      await client.waitFor('pusher_internal:subscription_succeeded');
    });

    it('a wrong signature is refused even where a rule would allow', async () => {
      const client = await signedIn(kAdmin);
      client.send({ event: 'pusher:subscribe', data: { channel: 'private-booking.8', auth: 'app-key:00' } });
      await expectSubscriptionError(client, 'private-booking.8', 'channel_auth_invalid');
    });

    it('publishing follows the rule, though client events are off', async () => {
      const operator = await signedIn(kOperator);
      const admin = await signedIn(kAdmin);
      for (const client of [operator, admin]) {
        client.send({ event: 'pusher:subscribe', data: { channel: 'private-admin-dashboard' } });
        await client.waitFor('pusher_internal:subscription_succeeded');
      }
      operator.send({ event: 'client-status', channel: 'private-admin-dashboard', data: { on: true } });
      await admin.waitFor('client-status');
      admin.send({ event: 'client-status', channel: 'private-admin-dashboard', data: { on: false } });
      const error = await admin.waitFor('pusher:error');
      assert.equal(error.data.message, 'Not allowed');
      assert.deepEqual(operator.all('client-status'), []);
    });

    it('members are seen by whom the rule names, and by nobody else', async () => {
      const admin = await signedIn(kAdmin);
      admin.send({ event: 'pusher:subscribe', data: { channel: 'presence-team' } });
      await admin.waitFor('pusher_internal:subscription_succeeded');
      const seven = await signedIn(kSeven);
      seven.send({ event: 'pusher:subscribe', data: { channel: 'presence-team' } });
      const frame = await seven.waitFor('pusher_internal:subscription_succeeded');
      assert.deepEqual(JSON.parse(frame.data).presence, { count: 1, ids: ['7'], hash: { 7: { name: 'Seven' } } });
      const added = await admin.waitFor('pusher_internal:member_added');
      assert.deepEqual(JSON.parse(added.data), { user_id: '7', user_info: { name: 'Seven' } });
      const other = await signedIn(kOperator);
      other.send({ event: 'pusher:subscribe', data: { channel: 'presence-team' } });
      await other.waitFor('pusher_internal:subscription_succeeded');
      await eventually(() => admin.all('pusher_internal:member_added').length === 2, 'the admin hears of the other');
      assert.deepEqual(seven.all('pusher_internal:member_added'), []);
    });

    it('a bearer of the handshake is signed in at once', async () => {
      const client = await server.connect({ headers: { Authorization: `Bearer ${kSeven}` } });
      const frame = await client.waitFor('pusher:signin_success');
      const data = typeof frame.data === 'string' ? JSON.parse(frame.data) : frame.data;
      assert.deepEqual(JSON.parse(data.user_data), { id: '7', user_info: { name: 'Seven' } });
    });

    it('?token= is not looked at unless the app wants that', async () => {
      const client = await server.connect({ path: `/app/${server.app.key}?protocol=7&token=${kSeven}` });
      client.send({ event: 'pusher:subscribe', data: { channel: 'private-booking.7' } });
      await client.waitFor('pusher:subscription_error');
    });

    it('?token= signs in where the app wants that, on both protocols', async () => {
      const other = await startServer({ apps: [{ jwt_secret: kJwtSecret, jwt_in_query: true, rules: kRules.slice(1, 2) }] });
      try {
        const client = await other.connect({ path: `/app/${other.app.key}?protocol=7&token=${kSeven}` });
        await client.waitFor('pusher:signin_success');
        const place = { host: other.host, port: other.port, path: '/socket.io/', server: other, app: other.app };
        const socket = await sioConnected(place, { transports: ['polling'], query: { token: kSeven } });
        assert.equal((await sioCall(socket, 'subscribe', 'private-booking.7')).ok, true);
        assert.equal(JSON.stringify(other.logs).includes(kSeven), false, 'no token in the log');
      } finally {
        closeSioClients();
        await other.stop();
      }
    });

    for (const [name, bad, reason] of [
      ['a tampered token', `${kSeven.slice(0, -3)}AAA`, 'token_invalid'],
      ['alg none', token({ sub: '7' }, { alg: 'none' }), 'token_invalid'],
      ['another secret', token({ sub: '7' }, { secret: 'x'.repeat(32) }), 'token_invalid'],
      ['an expired token', token({ sub: '7', exp: unixNow(-5) }), 'token_expired'],
      ['a token that is not valid yet', token({ sub: '7', nbf: unixNow(600) }), 'token_invalid'],
      ['a token without a user', token({ roles: ['admin'] }), 'token_invalid'],
      ['no token at all', 'x', 'token_invalid'],
    ]) {
      it(`${name} closes the connection with ${reason}`, async () => {
        const client = await server.connect();
        client.send({ event: 'pusher:signin', data: { token: bad } });
        await expectClose(client, reason);
      });
    }

    it('a token that runs out ends the connection, after a warning', async () => {
      const client = await server.connect();
      client.send({ event: 'pusher:signin', data: { token: token({ sub: '7', exp: unixNow(3) }) } });
      await client.waitFor('pusher:signin_success');
      const warning = await client.waitFor('kilat:token_expiring');
      assert.ok(JSON.parse(warning.data).expires_in <= 3);
      await expectClose(client, 'token_ran_out');
    });

    it('a fresh token keeps the connection, and takes rights away that it does not have', async () => {
      const client = await server.connect();
      client.send({ event: 'pusher:signin', data: { token: token({ sub: '9', roles: ['admin'], exp: unixNow(3) }) } });
      await client.waitFor('pusher:signin_success');
      client.send({ event: 'pusher:subscribe', data: { channel: 'private-admin-dashboard' } });
      await client.waitFor('pusher_internal:subscription_succeeded');
      client.send({ event: 'pusher:signin', data: { token: token({ sub: '9', roles: ['viewer'] }) } });
      const lost = await client.waitFor('pusher:subscription_error');
      assert.equal(lost.channel, 'private-admin-dashboard');
      await new Promise((resolve) => setTimeout(resolve, 4000));
      client.send({ event: 'pusher:ping', data: {} });
      await client.waitFor('pusher:pong');
    });

    it('another user on the same connection is refused', async () => {
      const client = await signedIn(kSeven);
      client.send({ event: 'pusher:signin', data: { token: kAdmin } });
      await expectClose(client, 'signin_other_user');
    });
  });

  describe('Socket.IO', () => {
    for (const [who, channel, allowed] of kMatrix) {
      it(title(who, channel, allowed), async () => {
        const socket = await sioConnected(target, { transports: ['websocket'], auth: who ? { token: who } : {} });
        const answer = await sioCall(socket, 'subscribe', { channel });
        assert.equal(answer.ok, allowed, JSON.stringify(answer));
      });
    }

    it('a bad token is a connect_error that says why', async () => {
      const socket = sioClient(target, { transports: ['websocket'], auth: { token: token({ sub: '7', exp: unixNow(-9) }) } });
      const [error] = await sioOnce(socket, 'connect_error');
      assert.equal(error.message, 'Token expired');
      assert.deepEqual(error.data, { reason: 'token_expired' });
    });

    it('a user id that no channel could be named after is refused on CONNECT as on signin', async () => {
      for (const sub of ['a'.repeat(300), 'a\nb']) {
        const socket = sioClient(target, { transports: ['websocket'], auth: { token: token({ sub }) } });
        const [error] = await sioOnce(socket, 'connect_error');
        assert.equal(error.message, 'Invalid sign-in');
        socket.close();
      }
    });

    it('a bearer header is taken where auth has no token, over polling too', async () => {
      for (const transports of [['websocket'], ['polling']]) {
        const socket = await sioConnected(target, { transports, extraHeaders: { Authorization: `Bearer ${kSeven}` } });
        assert.equal((await sioCall(socket, 'subscribe', 'private-booking.7')).ok, true);
      }
    });

    it('a token that runs out ends the session after a warning, and the client comes back with a fresh one', async () => {
      let served = 0;
      const socket = sioClient(target, {
        transports: ['websocket'],
        auth: (give) => give({ token: token({ sub: '7', exp: unixNow(served++ === 0 ? 3 : 600) }) }),
      });
      await sioOnce(socket, 'connect');
      const [{ expires_in }] = await sioEvent(socket, 'kilat:token_expiring');
      assert.ok(expires_in <= 3);
      await sioOnce(socket, 'disconnect');
      await sioOnce(socket, 'connect');
      assert.equal((await sioCall(socket, 'subscribe', 'private-booking.7')).ok, true);
    });

    it('signin with a token renews it and takes rights away that it does not have', async () => {
      const socket = await sioConnected(target, { transports: ['websocket'], auth: { token: kAdmin } });
      assert.equal((await sioCall(socket, 'subscribe', 'private-admin-dashboard')).ok, true);
      assert.equal((await sioCall(socket, 'signin', { token: token({ sub: '1', roles: [] }) })).ok, true);
      const [lost] = await sioEvent(socket, 'kilat:unsubscribed');
      assert.deepEqual(lost, { channel: 'private-admin-dashboard', error: 'rule_refused' });
    });
  });

  it('send to user reaches the user on both protocols, and so does disconnect', async () => {
    const client = await signedIn(kSeven);
    const socket = await sioConnected(target, { transports: ['websocket'], auth: { token: kSeven } });
    const response = await server.request('POST', '/events', {
      body: { name: 'note', channel: '#server-to-user-7', data: '{"n":1}' },
    });
    assert.equal(response.status, 200, response.text);
    await client.waitFor('note');
    await sioEvent(socket, 'note');
    await server.request('POST', '/users/7/terminate_connections', { body: {} });
    await client.waitClose();
    await eventually(() => !socket.connected, 'the socket is gone');
  });

  describe('the backend decides', () => {
    it('yes and no, with the headers that Echo sends', async () => {
      backend_answer = ({ channel_name }) => ({ status: channel_name.endsWith('yes') ? 200 : 403, text: 'true' });
      const socket = await sioConnected(target, { transports: ['websocket'] });
      const auth = { headers: { Authorization: 'Bearer of the application' } };
      assert.equal((await sioCall(socket, 'subscribe', { channel: 'private-asked.yes', auth })).ok, true);
      const no = await sioCall(socket, 'subscribe', { channel: 'private-asked.no', auth });
      assert.equal(no.error, 'backend_refused');
      assert.equal(asked[0].authorization, 'Bearer of the application');
      assert.equal(asked[0].channel_name, 'private-asked.yes');
      assert.equal(asked[0].socket_id, socket.id);
    });

    it('names the member of a presence channel, as Laravel does', async () => {
      backend_answer = () => ({ status: 200, text: '{"channel_data":{"user_id":42,"user_info":{"name":"Z"}}}' });
      const client = await server.connect({ headers: { Cookie: 'laravel_session=abc' } });
      client.send({ event: 'pusher:subscribe', data: { channel: 'presence-asked.room' } });
      const frame = await client.waitFor('pusher_internal:subscription_succeeded');
      assert.deepEqual(JSON.parse(frame.data).presence, { count: 1, ids: ['42'], hash: { 42: { name: 'Z' } } });
      assert.equal(asked[0].cookie, 'laravel_session=abc');
    });

    it('a client that unsubscribes meanwhile is not subscribed', async () => {
      let release;
      const held = new Promise((resolve) => (release = resolve));
      const slow = createServer(async (_, response) => {
        await held;
        response.writeHead(200).end('true');
      });
      await new Promise((resolve) => slow.listen(0, '127.0.0.1', resolve));
      const other = await startServer({
        apps: [{ rules: ['* subscribe=backend'], authorize_url: `http://127.0.0.1:${slow.address().port}/` }],
      });
      try {
        const client = await other.connect();
        client.send({ event: 'pusher:subscribe', data: { channel: 'a' } });
        client.send({ event: 'pusher:unsubscribe', data: { channel: 'a' } });
        client.send({ event: 'pusher:subscribe', data: { channel: 'b' } });
        await client.ping();
        release();
        await client.waitFor((f) => f.event === 'pusher_internal:subscription_succeeded' && f.channel === 'b');
        assert.deepEqual(client.all('pusher_internal:subscription_succeeded').map((frame) => frame.channel), ['b']);
      } finally {
        slow.close();
        await other.stop();
      }
    });

    it('a backend that does not answer in time is no answer, and one that lies decides nothing', async () => {
      const silent = createServer(() => {});
      await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const other = await startServer({
        apps: [
          {
            rules: ['* subscribe=backend'],
            authorize_url: `http://127.0.0.1:${silent.address().port}/`,
            authorize_timeout_ms: 100,
          },
        ],
      });
      try {
        const client = await other.connect();
        client.send({ event: 'pusher:subscribe', data: { channel: 'a' } });
        await expectSubscriptionError(client, 'a', 'backend_unavailable');
      } finally {
        silent.closeAllConnections();
        silent.close();
        await other.stop();
      }
      for (const text of ['<html>login</html>', '{"channel_data":{"user_id":[]}}', '{"channel_data":"{"}']) {
        backend_answer = () => ({ status: 200, text });
        const socket = await sioConnected(target, { transports: ['websocket'] });
        assert.equal((await sioCall(socket, 'subscribe', { channel: `presence-asked.${text.length}` })).ok, false, text);
      }
    });

    it('no client can have the backend left alone for others, by headers that are none or answers of its own', async () => {
      backend_answer = ({ channel_name }) => (channel_name === 'asked.good' ? { status: 200, text: 'true' } : { status: 419, text: '' });
      const bad = await sioConnected(target, { transports: ['websocket'] });
      for (let i = 0; i < 8; ++i) {
        const auth = { headers: { Authorization: i % 2 === 0 ? 'a\r\nHost: b' : 'x'.repeat(20_000) } };
        assert.equal((await sioCall(bad, 'subscribe', { channel: `asked.${i}`, auth })).error, 'backend_refused');
      }
      assert.equal(asked.length, 0);
      for (let i = 0; i < 8; ++i) {
        assert.equal((await sioCall(bad, 'subscribe', { channel: `asked.${i}` })).error, 'backend_unavailable');
      }
      assert.equal((await sioCall(bad, 'subscribe', 'asked.good')).ok, true);
    });

    it('a backend that is down is left alone, and found again when it is back; others are served meanwhile', async () => {
      const probe = createServer((_, response) => response.writeHead(200).end('true'));
      await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
      const { port } = probe.address();
      await new Promise((resolve) => probe.close(resolve));
      const other = await startServer({
        server: { shards: 1 },
        apps: [{ rules: ['asked.* subscribe=backend'], authorize_url: `http://user:hidden@127.0.0.1:${port}/auth?k=hidden` }],
      });
      const back = createServer((_, response) => response.writeHead(200).end('true'));
      try {
        const client = await other.connect();
        for (let i = 0; i < 6; ++i) {
          client.send({ event: 'pusher:subscribe', data: { channel: `private-asked.${i}` } });
          await expectSubscriptionError(client, `private-asked.${i}`, 'backend_unavailable');
        }
        const line = await other.waitForLog((entry) => entry.event === 'backend_unavailable', 'the line about the backend');
        assert.equal(line.url, `http://127.0.0.1:${port}/auth`);
        assert.ok(line.why.length > 0);
        await client.subscribe('free');
        await other.publish('free', 'n', '1');
        await client.waitFor('n');
        await new Promise((resolve) => back.listen(port, '127.0.0.1', resolve));
        await eventually(async () => {
          const from = client.frames.length;
          client.send({ event: 'pusher:subscribe', data: { channel: 'private-asked.again' } });
          const answer = await client.waitFor((frame) => frame.channel === 'private-asked.again', { from });
          return answer.event === 'pusher_internal:subscription_succeeded';
        }, 'the backend is asked again');
        await other.waitForLog((entry) => entry.event === 'backend_back', 'the line about its return');
        assert.equal(JSON.stringify(other.logs).includes('hidden'), false);
      } finally {
        back.close();
        await other.stop();
      }
    });

    it('a slow backend keeps nobody waiting but those who ask it', async () => {
      const slow = createServer((_, response) => setTimeout(() => response.writeHead(200).end('true'), 1_500));
      await new Promise((resolve) => slow.listen(0, '127.0.0.1', resolve));
      const other = await startServer({
        apps: [{ rules: ['asked.* subscribe=backend'], authorize_url: `http://127.0.0.1:${slow.address().port}/`, authorize_timeout_ms: 10_000 }],
      });
      try {
        const [waiting, free] = [await other.connect(), await other.connect()];
        for (let i = 0; i < 20; ++i) waiting.send({ event: 'pusher:subscribe', data: { channel: `private-asked.${i}` } });
        await waiting.ping();
        await free.subscribe('free');
        await other.publish('free', 'n', '1');
        await free.waitFor('n');
        assert.equal(waiting.all('pusher_internal:subscription_succeeded').length, 0, 'served before the backend has answered');
        await waiting.until(() => waiting.all('pusher_internal:subscription_succeeded').length === 20, 'all answers');
      } finally {
        slow.closeAllConnections();
        slow.close();
        await other.stop();
      }
    });

    it('a backend that fails opens the circuit: it is left alone for a while, and clients hear at once', async () => {
      backend_answer = () => ({ status: 500, text: 'oops' });
      const socket = await sioConnected(target, { transports: ['websocket'] });
      for (let i = 0; i < 20; ++i) {
        const answer = await sioCall(socket, 'subscribe', { channel: `asked.${i}` });
        assert.equal(answer.error, 'backend_unavailable');
      }
      assert.ok(asked.length < 20, `asked ${asked.length} times`);
    });
  });

  describe('authorization endpoints', () => {
    const fields = { socket_id: '1.2', channel_name: 'private-booking.7' };
    it('401 without a user, 403 for somebody else, 200 signed', async () => {
      for (const path of ['/broadcasting/auth', '/api/broadcasting/auth', '/pusher/auth']) {
        assert.equal((await authorize(path, null, fields)).status, 401);
        assert.equal((await authorize(path, token({ sub: '8' }), fields)).status, 403);
        const granted = await authorize(path, kSeven, fields, { 'X-CSRF-TOKEN': 'abc' });
        assert.equal(granted.status, 200, granted.text);
        assert.deepEqual(JSON.parse(granted.text), server.api().authorizeChannel('1.2', 'private-booking.7'));
      }
    });

    it('JSON bodies, presence data from claims', async () => {
      const response = await send(server, 'POST', '/broadcasting/auth', {
        body: JSON.stringify({ socket_id: '1.2', channel_name: 'presence-team' }),
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${kSeven}` },
      });
      const member = { user_id: '7', user_info: { name: 'Seven' } };
      assert.deepEqual(JSON.parse(response.text), server.api().authorizeChannel('1.2', 'presence-team', member));
    });

    it('refusals: an expired token, a bad socket id, a bad channel, GET, a path of no app', async () => {
      assert.equal((await authorize('/broadcasting/auth', token({ sub: '7', exp: 5 }), fields)).status, 401);
      assert.equal((await authorize('/broadcasting/auth', kSeven, { ...fields, socket_id: 'x y' })).status, 400);
      assert.equal((await authorize('/broadcasting/auth', kSeven, { ...fields, channel_name: '#server-to-user-7' })).status, 400);
      assert.equal((await send(server, 'GET', '/broadcasting/auth', {})).status, 405);
      assert.equal((await authorize('/other/auth', kSeven, fields)).status, 404);
    });

    it('pages of other origins may ask: CORS', async () => {
      const response = await send(server, 'OPTIONS', '/broadcasting/auth', {
        headers: {
          Origin: 'http://page.example',
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'authorization,x-csrf-token',
        },
      });
      assert.equal(response.status, 204);
      assert.match(response.headers['access-control-allow-headers'], /Authorization/);
      assert.match(response.headers['access-control-allow-headers'], /X-CSRF-TOKEN/);
    });

    it('stock Laravel Echo joins with nothing but its token', async () => {
      const client = await echo(server, 'reverb', {
        extra: {
          channelAuthorization: undefined,
          userAuthentication: undefined,
          authEndpoint: `${server.url}/broadcasting/auth`,
          bearerToken: kSeven,
          csrfToken: 'a-token-of-laravel',
        },
      });
      await new Promise((resolve, reject) => {
        client.private('booking.7').subscribed(resolve).error(reject);
      });
      const here = await new Promise((resolve, reject) => {
        client.join('team').here(resolve).error(reject);
      });
      assert.deepEqual(here, [{ name: 'Seven' }]);
      const error = await new Promise((resolve) => {
        client.private('booking.8').error(resolve);
      });
      assert.equal(error.status, 403);
    });

    it('stock pusher-js signs in and subscribes with nothing but its token', async () => {
      const headers = { Authorization: `Bearer ${kSeven}` };
      const client = pusherJs(server, {
        extra: {
          channelAuthorization: { endpoint: `${server.url}/pusher/auth`, transport: 'ajax', headers },
          userAuthentication: { endpoint: `${server.url}/pusher/user-auth`, transport: 'ajax', headers },
        },
      });
      await connected(client);
      client.signin();
      await client.user.signinDonePromise;
      assert.equal(client.user.user_data.id, '7');
      const channel = client.subscribe('private-booking.7');
      await new Promise((resolve, reject) => {
        channel.bind('pusher:subscription_succeeded', resolve);
        channel.bind('pusher:subscription_error', reject);
      });
      const refused = client.subscribe('private-booking.8');
      const [error] = await new Promise((resolve) => refused.bind('pusher:subscription_error', (...args) => resolve(args)));
      assert.equal(error.status, 403);
    });
  });
});
