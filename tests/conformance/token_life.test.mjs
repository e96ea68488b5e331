// The life of a token while its client is connected, on both protocols: when it runs out, is renewed, or is refused; and
// who counts as connected.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectClose } from './asserts.mjs';
import { eventually, startServer } from './harness.mjs';
import { send } from './http_client.mjs';
import { closeSioClients, sioCall, sioConnected, sioEvent, sioOnce } from './sio_clients.mjs';
import { kJwtSecret, token, unixNow } from './tokens.mjs';

const kRules = ['mine.{user} subscribe=user:{user}', 'staff subscribe=role:staff'];
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

describe('the life of a token', () => {
  let server;
  let target;
  before(async () => {
    server = await startServer({
      apps: [{ jwt_secret: kJwtSecret, jwt_leeway_s: 0, jwt_warning_s: 60, rules: kRules }],
    });
    target = { host: server.host, port: server.port, path: '/socket.io/', server, app: server.app };
  });
  after(() => server?.stop());
  afterEach(() => {
    closeSioClients();
    server?.closeClients();
  });

  const short = (claims = {}) => token({ sub: '7', exp: unixNow(3), ...claims });
  const online = async (user) => (await server.request('GET', `/socketio/users/${user}`)).json;

  async function signedIn(data) {
    const client = await server.connect();
    client.send({ event: 'pusher:signin', data });
    await client.waitFor('pusher:signin_success');
    return client;
  }

  describe('Socket.IO', () => {
    for (const transports of [['websocket'], ['polling']]) {
      it(`is over when its token is, though it is busy (${transports})`, async () => {
        const socket = await sioConnected(target, { transports, auth: { token: short() }, reconnection: false });
        const gone = sioOnce(socket, 'disconnect');
        const busy = setInterval(() => socket.emit('subscribe', 'mine.7', () => {}), 100);
        try {
          await sioEvent(socket, 'kilat:token_expiring');
          await gone;
        } finally {
          clearInterval(busy);
        }
      });
    }

    it('goes on with a fresh token, and keeps its rooms', async () => {
      const socket = await sioConnected(target, { transports: ['websocket'], auth: { token: short() }, reconnection: false });
      assert.equal((await sioCall(socket, 'subscribe', 'private-mine.7')).ok, true);
      await sioEvent(socket, 'kilat:token_expiring');
      assert.equal((await sioCall(socket, 'signin', { token: token({ sub: '7' }) })).ok, true);
      await sleep(4_000);
      assert.equal(socket.connected, true);
      const heard = sioEvent(socket, 'note');
      await server.publish('private-mine.7', 'note', '1');
      await heard;
    });

    it('a token that is refused changes nothing', async () => {
      const socket = await sioConnected(target, { transports: ['websocket'], auth: { token: token({ sub: '7' }) } });
      const bad = await sioCall(socket, 'signin', { token: token({ sub: '7', exp: unixNow(-5) }) });
      assert.equal(bad.error, 'token_expired');
      const other = await sioCall(socket, 'signin', { token: token({ sub: '8' }) });
      assert.equal(other.error, 'signin_other_user');
      assert.equal((await sioCall(socket, 'subscribe', 'private-mine.7')).ok, true);
      assert.equal((await sioCall(socket, 'subscribe', 'private-mine.8')).ok, false);
    });

    it('somebody without a token signs in later, and gains what the token grants', async () => {
      const socket = await sioConnected(target, { transports: ['websocket'] });
      assert.equal((await sioCall(socket, 'subscribe', 'private-staff')).error, 'rule_needs_user');
      assert.equal((await sioCall(socket, 'signin', { token: token({ sub: '7', roles: ['staff'] }) })).ok, true);
      assert.equal((await sioCall(socket, 'subscribe', 'private-staff')).ok, true);
    });
  });

  describe('Pusher', () => {
    it('is over when its token is, though it is busy', async () => {
      const client = await signedIn({ token: short() });
      const busy = setInterval(() => client.send({ event: 'pusher:ping', data: {} }), 100);
      try {
        await client.waitFor('kilat:token_expiring');
        await expectClose(client, 'token_ran_out');
      } finally {
        clearInterval(busy);
      }
    });

    it('a bearer of the handshake ends its connection, too', async () => {
      const client = await server.connect({ headers: { Authorization: `Bearer ${short()}` } });
      await client.waitFor('pusher:signin_success');
      await expectClose(client, 'token_ran_out');
    });

    it('what the authorization endpoint signs for a sign-in has the time and the roles of the token', async () => {
      const client = await server.connect();
      const response = await send(server, 'POST', '/pusher/user-auth', {
        body: `socket_id=${client.socket_id}`,
        headers: {
          'Content-Type': 'application/x-www-form-urlencoded',
          Authorization: `Bearer ${short({ roles: ['staff'] })}`,
        },
      });
      assert.equal(response.status, 200, response.text);
      client.send({ event: 'pusher:signin', data: JSON.parse(response.text) });
      await client.waitFor('pusher:signin_success');
      client.send({ event: 'pusher:subscribe', data: { channel: 'private-staff' } });
      await client.waitFor('pusher_internal:subscription_succeeded');
      await expectClose(client, 'token_ran_out');
    });

    it('a token that is refused changes nothing', async () => {
      const client = await signedIn({ token: token({ sub: '7' }) });
      client.send({ event: 'pusher:signin', data: { token: token({ sub: '7', exp: unixNow(-5) }) } });
      assert.equal((await client.waitFor('pusher:error')).data.reason, 'token_expired');
      client.send({ event: 'pusher:subscribe', data: { channel: 'private-mine.7' } });
      await client.waitFor('pusher_internal:subscription_succeeded');
    });
  });

  it('a user is connected while there is a connection of either protocol', async () => {
    assert.deepEqual(await online('u 1'.replace(' ', '%20')), { online: false, sockets: 0 });
    const who = token({ sub: 'u 1' });
    const client = await signedIn({ token: who });
    await eventually(async () => (await online('u%201')).sockets === 1, 'the Pusher connection');
    const socket = await sioConnected(target, { transports: ['websocket'], auth: { token: who }, reconnection: false });
    await eventually(async () => (await online('u%201')).sockets === 2, 'the socket beside it');
    client.terminate();
    await eventually(async () => (await online('u%201')).sockets === 1, 'the end of the first');
    const gone = sioOnce(socket, 'disconnect');
    await server.request('POST', '/users/u%201/terminate_connections', { body: {} });
    await gone;
    await eventually(async () => !(await online('u%201')).online, 'nobody');
  });

  it('answers of the authorization endpoint may be read by pages of other origins, refusals too', async () => {
    for (const [who, status] of [[token({ sub: '7' }), 200], [token({ sub: '8' }), 403], [token({ sub: '7', exp: 5 }), 401], ['', 401]]) {
      const response = await send(server, 'POST', '/broadcasting/auth', {
        body: 'socket_id=1.2&channel_name=private-mine.7',
        headers: {
          Origin: 'http://page.example',
          'Content-Type': 'application/x-www-form-urlencoded',
          'X-CSRF-TOKEN': 'of-laravel',
          'X-XSRF-TOKEN': 'of-axios',
          'X-Requested-With': 'XMLHttpRequest',
          ...(who ? { Authorization: `Bearer ${who}` } : {}),
        },
      });
      assert.equal(response.status, status, response.text);
      assert.equal(response.headers['access-control-allow-origin'], '*');
    }
    const preflight = await send(server, 'OPTIONS', '/broadcasting/auth', {
      headers: { Origin: 'http://page.example', 'Access-Control-Request-Method': 'POST' },
    });
    for (const name of ['Authorization', 'Content-Type', 'X-CSRF-TOKEN', 'X-XSRF-TOKEN', 'X-Requested-With', 'X-Socket-Id']) {
      const allowed = preflight.headers['access-control-allow-headers'].toLowerCase().split(/, */);
      assert.ok(allowed.includes(name.toLowerCase()), name);
    }
  });
});
