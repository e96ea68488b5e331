// Rights that a signature does not outlive: of a namespace whose rooms are stricter, and of a token that another one
// replaces, on both protocols.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectClose } from './asserts.mjs';
import { startServer } from './harness.mjs';
import { channelAuth, send, signinAuth } from './http_client.mjs';
import { closeSioClients, sioCall, sioConnected, sioEvent } from './sio_clients.mjs';
import { kJwtSecret, token } from './tokens.mjs';

const kRules = [
  'adm:* subscribe=role:admin',
  'asked:* subscribe=backend',
  'team.* subscribe=authenticated presence=role:admin',
  'staff subscribe=role:admin',
  'nobody subscribe=none',
];
const kPlain = Object.freeze({ id: 'plain', key: 'plain-key', secret: 'plain-secret', rules: kRules });

const admin = (claims = {}) => token({ sub: '7', roles: ['admin'], ...claims });
const plain = (claims = {}) => token({ sub: '7', roles: [], ...claims });

describe('rights', () => {
  let server;
  let target;
  let backend;
  const asked = [];
  before(async () => {
    backend = createServer(async (request, response) => {
      let body = '';
      for await (const bytes of request) body += bytes;
      asked.push(new URLSearchParams(body).get('channel_name'));
      response.writeHead(403).end();
    });
    backend.listen(0, '127.0.0.1');
    await once(backend, 'listening');
    const authorize_url = `http://127.0.0.1:${backend.address().port}/`;
    server = await startServer({
      apps: [{ jwt_secret: kJwtSecret, rules: kRules, authorize_url }, kPlain],
      socketio: { enabled: true, namespaces: ['/adm', '/asked', '/free', '/plain app=plain scope=adm:'] },
      // A proxy of the machine has no business with a backend on loopback.
      env: { no_proxy: '127.0.0.1' },
    });
    target = { host: server.host, port: server.port, path: '/socket.io/', server, app: server.app };
  });
  after(async () => {
    await server?.stop();
    backend?.close();
  });
  afterEach(() => {
    closeSioClients();
    server?.closeClients();
  });

  /** What the server itself answers to a request for a signature. */
  async function ask(path, who, fields) {
    const response = await send(server, 'POST', path, {
      body: new URLSearchParams(fields).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Authorization: `Bearer ${who}` },
    });
    assert.equal(response.status, 200, response.text);
    return JSON.parse(response.text);
  }
  const granted = (who, socket_id, channel_name) => ask('/broadcasting/auth', who, { socket_id, channel_name });
  const publish = (channel, event) => server.publish(channel, event, '1');

  describe('a signature in a namespace', () => {
    const socketOf = (nsp, who) => sioConnected(target, { nsp, transports: ['websocket'], auth: who ? { token: who } : {} });
    const subscribe = (socket, channel, proof) => sioCall(socket, 'subscribe', { channel, ...proof });

    it('of the server itself on a channel called like the room opens no stricter room', async () => {
      for (const [nsp, error] of [['/adm', 'rule_refused'], ['/asked', 'backend_refused'], ['/free', 'channel_auth_invalid']]) {
        const socket = await socketOf(nsp, plain());
        for (const channel of ['private-team.x', 'presence-team.x']) {
          const proof = await granted(plain(), socket.id, channel);
          const answer = await subscribe(socket, channel, proof);
          assert.deepEqual([answer.ok, answer.error], [false, error], `${nsp} ${channel}`);
        }
      }
      assert.deepEqual(asked, ['private-asked:team.x', 'presence-asked:team.x']);
    });

    it('of the server itself opens the room where the rules let its user in', async () => {
      const socket = await socketOf('/adm', admin());
      assert.equal((await subscribe(socket, 'private-team.x', await granted(admin(), socket.id, 'private-team.x'))).ok, true);
      const root = await socketOf('/', plain());
      assert.equal((await subscribe(root, 'private-team.x', await granted(plain(), root.id, 'private-team.x'))).ok, true);
    });

    it('over the name of the channel admits whatever the rules say, over that of the room where none refuses', async () => {
      const socket = await socketOf('/adm');
      const sign = (channel) => ({ auth: channelAuth(server.app, socket.id, channel) });
      assert.equal((await subscribe(socket, 'private-x', sign('private-adm:x'))).ok, true);
      assert.equal((await subscribe(socket, 'private-y', sign('private-y'))).error, 'rule_needs_user');
      assert.equal((await subscribe(socket, 'private-y', sign('private-adm:x'))).error, 'channel_auth_invalid');
      await publish('private-adm:x', 'note');
      await sioEvent(socket, 'note');
      const free = await socketOf('/free');
      const room = { auth: channelAuth(server.app, free.id, 'private-z') };
      assert.equal((await subscribe(free, 'private-z', room)).ok, true);
    });

    it('of an application that alone makes them names the room where no rule speaks of the channel', async () => {
      const socket = await sioConnected(target, { nsp: '/plain', transports: ['websocket'] });
      const room = 'private-team.x';
      const refused = await subscribe(socket, room, { auth: channelAuth(kPlain, socket.id, room) });
      assert.equal(refused.error, 'rule_needs_user');
      const whole = { auth: channelAuth(kPlain, socket.id, 'private-adm:team.x') };
      assert.equal((await subscribe(socket, room, whole)).ok, true);
    });
  });

  it('of a sign-in that the application has signed do not come from a token in it, unless it is one of the server', async () => {
    const signed = (app, id, user) => ({ user_data: user, auth: signinAuth(app, id, user) });
    const both = '{"id":"7","token":"of the application"}';
    const ours = '{"id":"7","kilat_token":"x"}';
    for (const [app, user, good] of [[server.app, both, true], [kPlain, both, true], [kPlain, ours, true], [server.app, ours, false]]) {
      const client = await server.connect({ key: app.key, app });
      client.send({ event: 'pusher:signin', data: signed(app, client.socket_id, user) });
      if (good) await client.waitFor('pusher:signin_success');
      else await expectClose(client, 'token_invalid');
      const nsp = app === kPlain ? '/plain' : '/';
      const socket = await sioConnected(target, { nsp, transports: ['websocket'] });
      assert.equal((await sioCall(socket, 'signin', signed(app, socket.id, user))).ok, good, `${app.id} ${user}`);
    }
  });

  describe('of a token that is replaced', () => {
    async function pusher(who) {
      const client = await server.connect();
      if (who) await signin(client, await ask('/pusher/user-auth', who, { socket_id: client.socket_id }));
      return client;
    }
    async function signin(client, data) {
      const from = client.frames.length;
      client.send({ event: 'pusher:signin', data });
      await client.waitFor('pusher:signin_success', { from });
    }
    async function subscribe(client, channel, proof) {
      client.send({ event: 'pusher:subscribe', data: { channel, ...proof } });
      return client.waitFor((frame) => frame.event === 'pusher_internal:subscription_succeeded' && frame.channel === channel);
    }

    it('Pusher: end what the server has signed, before or after the sign-in', async () => {
      for (const first of ['signature', 'sign-in']) {
        const client = await pusher(first === 'sign-in' ? admin() : null);
        await subscribe(client, 'private-staff', await granted(admin(), client.socket_id, 'private-staff'));
        if (first === 'signature') await signin(client, { token: admin() });
        client.send({ event: 'pusher:signin', data: { token: plain() } });
        const lost = await client.waitFor('pusher:subscription_error');
        assert.deepEqual([lost.channel, lost.data.reason], ['private-staff', 'rule_refused'], first);
        await publish('private-staff', 'secret');
        await client.ping();
        assert.deepEqual(client.all('secret'), []);
      }
    });

    it('Pusher: take what the client has folded for itself alone with them', async () => {
      const client = await pusher(admin());
      client.send({ event: 'pusher:subscribe', data: { channel: 'private-staff', flow: { conflate: 400 } } });
      await client.waitFor('pusher_internal:subscription_succeeded');
      await publish('private-staff', 'secret');
      client.send({ event: 'pusher:signin', data: { token: plain() } });
      await client.waitFor('pusher:subscription_error');
      await new Promise((resolve) => setTimeout(resolve, 800));
      await client.ping();
      assert.deepEqual(client.all('secret'), []);
      // The next subscription is as it says, not as the one before.
      await signin(client, { token: admin() });
      const from = client.frames.length;
      client.send({ event: 'pusher:subscribe', data: { channel: 'private-staff' } });
      await client.waitFor('pusher_internal:subscription_succeeded', { from });
      for (let i = 0; i < 3; i++) await publish('private-staff', 'value');
      await client.until(() => client.all('value').length === 3, 'each of them');
    });

    it('Pusher: do not end what the application has signed past the rules', async () => {
      const client = await pusher(admin());
      for (const channel of ['private-nobody', 'private-unruled']) {
        await subscribe(client, channel, { auth: channelAuth(server.app, client.socket_id, channel) });
      }
      const other = { channel_data: JSON.stringify({ user_id: 'another', user_info: {} }) };
      other.auth = channelAuth(server.app, client.socket_id, 'presence-staff', other.channel_data);
      await subscribe(client, 'presence-staff', other);
      await signin(client, { token: plain() });
      for (const channel of ['private-nobody', 'private-unruled', 'presence-staff']) {
        await publish(channel, channel);
        await client.waitFor(channel);
      }
      assert.deepEqual(client.all('pusher:subscription_error'), []);
    });

    it('Socket.IO: end what the server has signed, before or after the sign-in', async () => {
      for (const first of ['signature', 'sign-in']) {
        const auth = first === 'sign-in' ? { token: admin() } : {};
        const socket = await sioConnected(target, { transports: ['websocket'], auth });
        const channel = 'private-staff';
        assert.equal((await sioCall(socket, 'subscribe', { channel, ...(await granted(admin(), socket.id, channel)) })).ok, true);
        if (first === 'signature') assert.equal((await sioCall(socket, 'signin', { token: admin() })).ok, true);
        assert.equal((await sioCall(socket, 'signin', { token: plain() })).ok, true);
        assert.deepEqual(await sioEvent(socket, 'kilat:unsubscribed'), [{ channel, error: 'rule_refused' }], first);
      }
    });

    it('Socket.IO: do not end what the application has signed past the rules, or has put the socket into', async () => {
      const socket = await sioConnected(target, { transports: ['websocket'], auth: { token: admin() } });
      const channel = 'private-nobody';
      const auth = channelAuth(server.app, socket.id, channel);
      assert.equal((await sioCall(socket, 'subscribe', { channel, auth })).ok, true);
      const body = { sockets: [socket.id], to: ['private-staff'] };
      assert.equal((await server.request('POST', '/socketio/join', { body })).status, 200);
      await sioCall(socket, 'signin', { token: admin() });
      await sioCall(socket, 'signin', { token: plain() });
      for (const name of [channel, 'private-staff']) {
        await publish(name, `to ${name}`);
        await sioEvent(socket, `to ${name}`);
      }
      assert.deepEqual(socket.seen.filter(([event]) => event === 'kilat:unsubscribed'), []);
    });

    it('hide members from who may not see them any more, on both protocols', async () => {
      const channel = 'presence-team.a';
      const client = await pusher(admin());
      await subscribe(client, channel);
      const socket = await sioConnected(target, { transports: ['websocket'], auth: { token: admin() } });
      assert.equal((await sioCall(socket, 'subscribe', { channel })).ok, true);
      const join = async (sub) => {
        const other = await server.connect();
        await signin(other, { token: token({ sub }) });
        await subscribe(other, channel);
      };
      const added = () => client.all('pusher_internal:member_added').map((frame) => JSON.parse(frame.data).user_id);
      await join('seen');
      await client.waitFor('pusher_internal:member_added');
      await sioEvent(socket, 'member_added');
      await signin(client, { token: plain() });
      await sioCall(socket, 'signin', { token: plain() });
      await join('hidden');
      // What comes after it on the same way has come: so would it have.
      await publish(channel, 'after');
      await client.waitFor('after');
      await sioEvent(socket, 'after');
      assert.deepEqual(added(), ['seen']);
      assert.equal(socket.seen.filter(([event]) => event === 'member_added').length, 1);
      // A right that comes back counts from the next subscription on.
      await signin(client, { token: admin() });
      const from = client.frames.length;
      client.send({ event: 'pusher:subscribe', data: { channel } });
      const frame = await client.waitFor('pusher_internal:subscription_succeeded', { from });
      assert.deepEqual(JSON.parse(frame.data).presence.ids.sort(), ['7', 'hidden', 'seen']);
    });
  });
});
