// Every kind of channel with every kind of wrong proof, on both protocols: all are refused, each with its documented row,
// while an honest client goes on; and no secret of the configuration shows up anywhere.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';

import { configText, eventually, kBinary, reasonRow, startServer } from './harness.mjs';
import { channelAuth, hmac, send, signinAuth } from './http_client.mjs';
import { get } from './plain_get.mjs';
import { closeSioClients, sioCall, sioClient, sioConnected, sioOnce } from './sio_clients.mjs';
import { token, unixNow } from './tokens.mjs';

const kCanary = Object.freeze({
  secret: 'canary-0f3a-app-secret',
  previous_secret: 'canary-0f3a-previous-secret',
  api_key: 'canary-0f3a-api-key',
  jwt_secret: 'canary-0f3a-jwt-secret-of-many-bytes',
});
const kOther = Object.freeze({
  id: 'other',
  key: 'other-key',
  secret: 'canary-0f3a-other-secret',
  authorize_url: 'http://canary-0f3a-user:canary-0f3a-pass@127.0.0.1:1/auth?key=canary-0f3a-query',
  jwt_keys: ['http://canary-0f3a-user:canary-0f3a-pass@127.0.0.1:1/jwks?key=canary-0f3a-query'],
});
const kKinds = ['private-m', 'private-cache-m', 'private-encrypted-m', 'private-encrypted-cache-m', 'presence-m', 'presence-cache-m'];

describe('authorization matrix', () => {
  let server;
  let target;
  let honest;
  before(async () => {
    server = await startServer({
      apps: [{ ...kCanary, rules: ['ruled.* subscribe=role:admin', 'm subscribe=role:nobody|none'] }, kOther],
      metrics: { listen: '127.0.0.1:0' },
      http: {},
      // A proxy of the machine has no business with the URLs of the app.
      env: { no_proxy: '127.0.0.1' },
    });
    target = { host: server.host, port: server.port, path: '/socket.io/', server, app: server.app };
    honest = await server.connect();
    await honest.subscribe('honest');
  });
  after(async () => {
    await server?.stop();
  });
  afterEach(() => closeSioClients());

  /** Wrong proofs for a subscription of socket `id`: name, what is sent, the row that answers. */
  function wrongProofs(id, channel) {
    const data = channel.startsWith('presence-') ? JSON.stringify({ user_id: 'u', user_info: {} }) : undefined;
    const app = server.app;
    const good = channelAuth(app, id, channel, data);
    const proofs = [
      ['a signature for another socket', { auth: channelAuth(app, '1.2', channel, data), channel_data: data }, 'channel_auth_invalid'],
      ['a signature for another channel', { auth: channelAuth(app, id, `${channel}x`, data), channel_data: data }, 'channel_auth_invalid'],
      ['the secret of another app', { auth: channelAuth({ ...app, secret: kOther.secret }, id, channel, data), channel_data: data }, 'channel_auth_invalid'],
      ['one digit changed', { auth: good.replace(/.$/, (c) => (c === '0' ? '1' : '0')), channel_data: data }, 'channel_auth_invalid'],
      ['upper case', { auth: good.replace(/:.*/, (hex) => hex.toUpperCase()), channel_data: data }, 'channel_auth_invalid'],
      ['cut short', { auth: good.slice(0, -1), channel_data: data }, 'channel_auth_invalid'],
      ['no colon', { auth: good.replace(':', ''), channel_data: data }, 'channel_auth_invalid'],
      ['nothing', { channel_data: data }, 'rule_needs_user'],
      ['an empty text', { auth: '', channel_data: data }, 'rule_needs_user'],
    ];
    if (data) {
      proofs.push(['channel_data changed', { auth: good, channel_data: data.replace('"u"', '"v"') }, 'channel_auth_invalid']);
      proofs.push(['channel_data left out', { auth: good }, 'channel_auth_invalid']);
    } else {
      proofs.push(['channel_data that was not signed', { auth: good, channel_data: '{"user_id":"v"}' }, 'channel_auth_invalid']);
    }
    return proofs;
  }

  for (const channel of kKinds) {
    it(`Pusher, ${channel}: no wrong proof is taken, the right one is`, async () => {
      const client = await server.connect();
      for (const [name, fields, reason] of wrongProofs(client.socket_id, channel)) {
        const from = client.frames.length;
        client.send({ event: 'pusher:subscribe', data: { channel, ...fields } });
        const frame = await client.waitFor('pusher:subscription_error', { from });
        assert.equal(frame.data.reason, reason, name);
        assert.ok(reasonRow(reason));
      }
      const key = await server.connect();
      key.send({ event: 'pusher:subscribe', data: { channel, auth: `${kOther.key}:${hmac(kOther.secret, 'x')}` } });
      assert.equal((await key.waitFor('pusher:subscription_error')).data.reason, 'channel_auth_key_invalid');
      if (channel.startsWith('presence-')) {
        await client.join(channel, 'u', {});
      } else {
        await client.subscribe(channel);
      }
    });

    it(`Socket.IO, ${channel}: no wrong proof is taken, the right one is`, async () => {
      const socket = await sioConnected(target, { transports: ['websocket'] });
      for (const [name, fields, reason] of wrongProofs(socket.id, channel)) {
        const answer = await sioCall(socket, 'subscribe', { channel, ...fields });
        assert.deepEqual([answer.ok, answer.error], [false, reason], name);
      }
      const data = channel.startsWith('presence-') ? JSON.stringify({ user_id: 'u', user_info: {} }) : undefined;
      const auth = channelAuth(server.app, socket.id, channel, data);
      assert.equal((await sioCall(socket, 'subscribe', { channel, auth, channel_data: data })).ok, true);
    });
  }

  it('a proof of one socket, replayed by another, is refused', async () => {
    const victim = await server.connect();
    const auth = channelAuth(server.app, victim.socket_id, 'private-m');
    victim.send({ event: 'pusher:subscribe', data: { channel: 'private-m', auth } });
    await victim.waitFor('pusher_internal:subscription_succeeded');
    const thief = await server.connect();
    thief.send({ event: 'pusher:subscribe', data: { channel: 'private-m', auth } });
    assert.equal((await thief.waitFor('pusher:subscription_error')).data.reason, 'channel_auth_invalid');
  });

  it('sign-in: signatures and tokens of others, old, tampered or replayed', async () => {
    const user = '{"id":"7"}';
    const kWrong = [
      (id) => ({ user_data: user, auth: signinAuth({ ...server.app, secret: kOther.secret }, id, user) }),
      (id) => ({ user_data: '{"id":"8"}', auth: signinAuth(server.app, id, user) }),
      () => ({ user_data: user, auth: signinAuth(server.app, '1.2', user) }),
      () => ({ token: token({ sub: '7' }, { secret: kOther.secret }) }),
      () => ({ token: token({ sub: '7', exp: unixNow(-100) }, { secret: kCanary.jwt_secret }) }),
      () => ({ token: token({ sub: '7' }, { secret: kCanary.jwt_secret }).replace(/\.[^.]+\./, `.${Buffer.from('{"sub":"1"}').toString('base64url')}.`) }),
      () => ({ token: token({ sub: '7' }, { alg: 'none' }) }),
    ];
    for (const wrong of kWrong) {
      const client = await server.connect();
      client.send({ event: 'pusher:signin', data: wrong(client.socket_id) });
      assert.equal((await client.waitClose()).code, 4009);
      assert.deepEqual(client.all('pusher:signin_success'), []);
      const socket = await sioConnected(target, { transports: ['websocket'] });
      assert.equal((await sioCall(socket, 'signin', wrong(socket.id))).ok, false);
    }
    const socket = sioClient(target, { transports: ['websocket'], auth: kWrong[3]() });
    const [error] = await sioOnce(socket, 'connect_error');
    assert.equal(error.data.reason, 'token_invalid');
  });

  it('the user channel is for its user only, and not by a signature', async () => {
    const client = await server.connect();
    await client.signin({ id: '7' });
    const channel = '#server-to-user-8';
    client.send({ event: 'pusher:subscribe', data: { channel, auth: channelAuth(server.app, client.socket_id, channel) } });
    assert.equal((await client.waitFor('pusher:subscription_error')).data.reason, 'user_channel_refused');
    const socket = await sioConnected(target, { transports: ['websocket'] });
    const answer = await sioCall(socket, 'subscribe', { channel, auth: channelAuth(server.app, socket.id, channel) });
    assert.equal(answer.error, 'user_channel_refused');
  });

  it('5,000 wrong proofs leave an honest client its events, in order', async () => {
    const attackers = await Promise.all(Array.from({ length: 10 }, () => server.connect()));
    const bad = (i) => ({ event: 'pusher:subscribe', data: { channel: `private-${i}`, auth: `app-key:${'0'.repeat(64)}` } });
    let refused = 0;
    const from = honest.frames.length;
    for (let round = 0; round < 50; ++round) {
      for (const attacker of attackers) for (let i = 0; i < 10; ++i) attacker.send(bad(i));
      await server.publish('honest', 'n', String(round));
    }
    await eventually(() => {
      refused = attackers.reduce((sum, one) => sum + one.all('pusher:subscription_error').length, 0);
      return refused === 5000;
    }, '5,000 refusals');
    await eventually(() => honest.all('n').length === 50, 'all events of the honest client');
    assert.deepEqual(honest.frames.slice(from).filter((f) => f.event === 'n').map((f) => f.data), Array.from({ length: 50 }, (_, i) => String(i)));
  });

  it('no secret is in logs, metrics, dumps, answers or what commands print', async () => {
    const bearer = token({ sub: '7' }, { secret: kCanary.jwt_secret });
    await send(server, 'POST', '/broadcasting/auth', {
      body: 'socket_id=1.2&channel_name=private-ruled.x',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Authorization: `Bearer ${bearer}` },
    });
    await send(server, 'POST', `/apps/${server.app.id}/events?token=${bearer}`, { headers: { Authorization: 'Bearer canary-0f3a-wrong' }, body: '{}' });
    const texts = [(await get(server.metrics_port, '/metrics')).text, (await get(server.metrics_port, '/metrics?json=1')).text];
    const config = path.join(server.directory, 'kilat.toml');
    const before_reload = readFileSync(config, 'utf8');
    for (const text of [before_reload.replace('127.0.0.1:1/auth', '127.0.0.1:2/auth'), before_reload]) {
      writeFileSync(config, text);
      texts.push(execFileSync(kBinary, ['reload', '--pid', String(server.child.pid)], { encoding: 'utf8' }));
    }
    assert.match(texts.at(-1), /authorize_url http:\/\/127\.0\.0\.1:2\/auth -> http:\/\/127\.0\.0\.1:1\/auth/);
    process.kill(server.child.pid, 'SIGUSR1');
    const dump = await server.waitForLog((line) => line.event === 'state' || line.shards !== undefined, 'the dump');
    texts.push(JSON.stringify(dump));
    const file = path.join(server.directory, 'canary.toml');
    writeFileSync(file, configText({ apps: [{ ...kCanary, rules: ['m subscribe=none'] }, kOther] }));
    for (const command of [['check', file], ['check', '--diff', file], ['check', '--json', file]]) {
      texts.push(execFileSync(kBinary, command, { encoding: 'utf8' }));
    }
    texts.push(JSON.stringify(server.logs), server.stray.join('\n'));
    for (const text of texts) {
      assert.equal(text.includes('canary-0f3a'), false, text.slice(Math.max(0, text.indexOf('canary-0f3a') - 200)).slice(0, 400));
      assert.equal(text.includes(bearer), false, 'a token');
    }
  });
});
