// The keys of tokens, from a JWKS that the test serves: an issuer that changes its keys while clients connect, and one
// that is down.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { after, afterEach, describe, it } from 'node:test';

import { expectClose } from './asserts.mjs';
import { eventually } from './harness.mjs';
import { closeSioClients, sioClient, sioConnected, sioOnce } from './sio_clients.mjs';
import { kReference, startTarget } from './sio_target.mjs';

const kClients = 200;
const kAtOnce = 20;

const base64url = (value) => Buffer.from(value).toString('base64url');

/** One key of the issuer. */
class Key {
  constructor(kid) {
    this.kid = kid;
    Object.assign(this, crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }));
    this.jwk = { ...this.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' };
  }

  token(user, claims = {}, header = {}) {
    const now = Math.floor(Date.now() / 1000);
    const head = base64url(JSON.stringify({ alg: 'ES256', kid: this.kid, ...header }));
    const body = base64url(JSON.stringify({ sub: user, iat: now, exp: now + 600, ...claims }));
    const signature = crypto.sign('sha256', Buffer.from(`${head}.${body}`), {
      key: this.privateKey,
      dsaEncoding: 'ieee-p1363',
    });
    return `${head}.${body}.${signature.toString('base64url')}`;
  }
}

/** Serves `keys` as a JWKS, or status 500 while `down`. */
class Issuer {
  constructor(...keys) {
    this.keys = keys;
    this.down = false;
    this.asked = 0;
    this.server = http.createServer((request, response) => {
      this.asked += 1;
      response.statusCode = this.down ? 500 : 200;
      response.setHeader('Cache-Control', 'max-age=3600');
      response.end(this.down ? '' : JSON.stringify({ keys: this.keys.map((key) => key.jwk) }));
    });
  }

  async start() {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}/jwks.json?hint=not-for-the-log`;
  }

  stop() {
    this.server.closeAllConnections?.();
    this.server.close();
  }
}

describe('keys of tokens', { skip: kReference }, () => {
  let issuer;
  let target;

  const start = async (...keys) => {
    issuer = await new Issuer(...keys).start();
    target = await startTarget({
      apps: [{ jwt_keys: [issuer.url], jwt_audience: 'shop', jwt_leeway_s: 0 }],
      socketio: { enabled: true },
      // A proxy of the machine has no business with an issuer on loopback.
      env: { no_proxy: '127.0.0.1' },
    });
  };
  const connect = (token) => sioConnected(target, { transports: ['websocket'], auth: { token } });
  const refusal = async (token) => {
    const socket = sioClient(target, { transports: ['websocket'], auth: { token }, reconnection: false });
    const [error] = await sioOnce(socket, 'connect_error');
    return error.data?.reason;
  };
  const claims = { aud: 'shop' };

  afterEach(async () => {
    closeSioClients();
    issuer.stop();
    await target.stop();
  });
  after(closeSioClients);

  it('lets clients in with old and new keys while the issuer changes them', async () => {
    const old_key = new Key('old');
    const new_key = new Key('new');
    await start(old_key);
    await connect(old_key.token('first', claims));
    assert.equal(issuer.asked, 1);

    let begun = 0;
    const one = async () => {
      while (begun < kClients) {
        const number = begun++;
        // The issuer shows a key before it signs with it, as all do.
        if (number === kClients / 4) issuer.keys = [old_key, new_key];
        const key = number > kClients / 4 && number % 2 === 1 ? new_key : old_key;
        await connect(key.token(`u${number}`, claims));
      }
    };
    await Promise.all(Array.from({ length: kAtOnce }, one));
    // One for all that missed the key; on a slow machine another one that was due meanwhile.
    assert.ok(issuer.asked === 2 || issuer.asked === 3, `asked ${issuer.asked} times`);

    // The old key is withdrawn: who has one signed with it is let in until the keys are fetched again.
    issuer.keys = [new_key];
    await connect(new_key.token('last', claims));
  });

  it('refuses a withdrawn key once it has the new ones, on both protocols, and lets those with a new one in meanwhile', async () => {
    const old_key = new Key('old');
    const new_key = new Key('new');
    await start(old_key);
    const pusher = async (token) => {
      const client = await target.server.connect();
      client.send({ event: 'pusher:signin', data: { token } });
      return client;
    };
    await connect(old_key.token('before', claims));
    await (await pusher(old_key.token('before', claims))).waitFor('pusher:signin_success');
    issuer.keys = [new_key];
    let over = false;
    let let_in = 0;
    const load = async () => {
      for (; !over; ++let_in) {
        (await connect(new_key.token(`n${let_in}`, claims))).disconnect();
        await (await pusher(new_key.token(`n${let_in}`, claims))).waitFor('pusher:signin_success');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    // The first of them has the server fetch the keys.
    await (await pusher(new_key.token('first', claims))).waitFor('pusher:signin_success');
    const loading = load();
    const refused = await pusher(old_key.token('late', claims));
    // Not yet, where the keys were fetched too shortly before to be fetched again: but not let in either.
    await expectClose(refused, ['token_key_unknown', 'token_keys_unavailable']);
    await eventually(async () => (await refusal(old_key.token('late', claims))) === 'token_key_unknown', 'the last word');
    over = true;
    await loading;
    assert.ok(let_in > 0);
    assert.ok(issuer.asked <= 10, `asked ${issuer.asked} times`);
  });

  it('lets a client with a new key in, though a forged token has just had the keys fetched', async () => {
    const old_key = new Key('old');
    const new_key = new Key('new');
    await start(old_key);
    await connect(old_key.token('before', claims));
    assert.equal(await refusal(new Key('forged').token('stranger', claims)), 'token_key_unknown');
    issuer.keys = [old_key, new_key];
    await connect(new_key.token('first', claims));
    const client = await target.server.connect();
    client.send({ event: 'pusher:signin', data: { token: new_key.token('second', claims) } });
    await client.waitFor('pusher:signin_success');
  });

  it('keeps the keys it has while the issuer is down, and tells others to come back', async () => {
    const key = new Key('kept');
    await start(key);
    await connect(key.token('before', claims));
    issuer.down = true;
    assert.equal(await refusal(new Key('unknown').token('stranger', claims)), 'token_keys_unavailable');
    await connect(key.token('after', claims));
    const line = await eventually(
      () => target.server.logs.find((entry) => entry.event === 'token_keys_unavailable'),
      'the line about the issuer',
    );
    assert.equal(line.why, 'status 500');
    assert.equal(line.old_keys_stay, true);
    assert.ok(!JSON.stringify(target.server.logs).includes('not-for-the-log'));
  });

  it('refuses what is forged, expired, not yet valid, for others, or of another algorithm', async () => {
    const key = new Key('k');
    await start(key);
    const now = Math.floor(Date.now() / 1000);
    const good = key.token('u', claims);
    await connect(good);
    const [head, body, signature] = good.split('.');
    const forged = base64url(JSON.stringify({ sub: 'root', aud: 'shop' }));
    const hmac_head = base64url(JSON.stringify({ alg: 'HS256', kid: 'k' }));
    const pem = key.publicKey.export({ type: 'spki', format: 'pem' });
    const mac = crypto.createHmac('sha256', pem).update(`${hmac_head}.${body}`).digest('base64url');
    const none_head = base64url(JSON.stringify({ alg: 'none', kid: 'k' }));
    const cases = [
      [`${head}.${forged}.${signature}`, 'token_invalid'],
      [`${hmac_head}.${body}.${mac}`, 'token_invalid'],
      [`${none_head}.${body}.`, 'token_invalid'],
      [key.token('u', { ...claims, exp: now - 5 }), 'token_expired'],
      [key.token('u', { ...claims, nbf: now + 600 }), 'token_invalid'],
      [key.token('u', { aud: 'other' }), 'token_invalid'],
      [key.token('u', claims, { alg: 'ES384' }), 'token_invalid'],
      ['nonsense', 'token_invalid'],
    ];
    for (const [token, expected] of cases) assert.equal(await refusal(token), expected, token);
    // One at the start, and perhaps one for the first client, who came before its answer.
    assert.ok(issuer.asked <= 2, 'none of them is worth a fetch');
  });
});
