// Cases 97-104: authentication of the HTTP API.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { expectHttpError } from './asserts.mjs';
import { assertRow, startServer } from './harness.mjs';
import { encodeQuery, hmac, md5, send, stringToSign, unixTime } from './http_client.mjs';

const kVectorApp = { id: '3', key: '278d425bdf160c739803', secret: '7ad3773142a6692b25b8' };
const kVectorTime = '1353088179';
const kBody = { name: 'e', channel: 'c', data: '1' };

// The vectors of the protocol: method, path, query, body, md5, signature.
const kVectors = [
  ['POST', '/apps/3/events', {}, '{"name":"foo","channels":["project-3"],"data":"{\\"some\\":\\"data\\"}"}',
    'ec365a775a4cd0599faeb73354201b6f', 'da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c'],
  ['POST', '/apps/3/batch_events', {}, '{"batch":[{"name":"e","channel":"c","data":"1"}]}',
    '114c5263191da710e39d4857209e4dff', '6b4732d031aef7adc4a0b642737b6ee3c43e788dcc561429a346beb7b8a936f5'],
  ['GET', '/apps/3/channels', { filter_by_prefix: 'presence-', info: 'user_count' }, undefined,
    undefined, '16819168891cb5dfd72b5c7a5d3d602605b26c6ba1930033b5e2eeeb65010291'],
  ['GET', '/apps/3/channels/cache-x', { info: 'subscription_count,cache' }, undefined,
    undefined, 'aa6c24f2e993d182c577e4b3202d5ce637e731a554b8cff6ad52b633f1026894'],
  ['POST', '/apps/3/users/12345/terminate_connections', {}, '{}',
    '99914b932bd37a50b983c5e7c90ae93b', '01fa634edeb0cae84115307cad5c23f65a46cd286461b1c89637a3b5871a8f0e'],
];

describe('http_auth', () => {
  let server;
  before(async () => {
    server = await startServer({
      apps: [{}, kVectorApp, { id: 'other', key: 'other-key', secret: 'other-secret' }, { id: 'off', key: 'off-key', enabled: false }],
    });
  });
  after(() => server?.stop());

  const post = (options = {}) => server.request('POST', '/events', { body: kBody, ...options });

  async function assertRefused(options, id, httpStatus = 401) {
    const ids = Array.isArray(id) ? id : [id];
    for (const one of ids) assertRow(one, { httpStatus });
    await expectHttpError(server, await post(options), ids);
  }

  for (const [method, path, query, body, digest, signature] of kVectors) {
    it(`case 97: the documented signature of ${method} ${path} is recomputed and, at its own time, too old`, async () => {
      const params = { auth_key: kVectorApp.key, auth_timestamp: kVectorTime, auth_version: '1.0', ...query };
      if (body !== undefined) {
        assert.equal(md5(body), digest);
        params.body_md5 = digest;
      }
      assert.equal(hmac(kVectorApp.secret, stringToSign(method, path, params)), signature);
      const stale = await send(server, method, `${path}?${encodeQuery({ ...params, auth_signature: signature })}`, { body });
      await expectHttpError(server, stale, 'api_timestamp_expired');
      // The same request of now is taken.
      params.auth_timestamp = unixTime();
      params.auth_signature = hmac(kVectorApp.secret, stringToSign(method, path, params));
      const response = await send(server, method, `${path}?${encodeQuery(params)}`, { body });
      assert.equal(response.status, 200, response.text);
    });
  }

  it('case 98: a changed signature is refused', async () => {
    await assertRefused({ secret: 'wrong' }, 'api_signature_invalid');
    await assertRefused({ override: { auth_signature: '' } }, 'api_signature_invalid');
    await assertRefused({ override: { auth_signature: '0'.repeat(64) } }, 'api_signature_invalid');
    await assertRefused({ override: { auth_signature: '0'.repeat(63) } }, 'api_signature_invalid');
  });

  it('case 98: a changed body is refused', async () => {
    await assertRefused({ sentBody: '{"name":"e","channel":"c","data":"2"}' }, 'api_body_md5_invalid');
  });

  it('case 98: a changed body_md5 is refused', async () => {
    const ids = ['api_body_md5_invalid', 'api_signature_invalid'];
    await assertRefused({ override: { body_md5: md5('other') } }, ids);
    // Signed as it stands, but not that of the body.
    await assertRefused({ query: { body_md5: md5('other') } }, 'api_body_md5_invalid');
  });

  it('case 98: a body without body_md5 is refused', async () => {
    const path = '/apps/app-id/events';
    const params = { auth_key: 'app-key', auth_timestamp: unixTime(), auth_version: '1.0' };
    params.auth_signature = hmac('app-secret', stringToSign('POST', path, params));
    const response = await send(server, 'POST', `${path}?${encodeQuery(params)}`, { body: JSON.stringify(kBody) });
    await expectHttpError(server, response, 'api_body_md5_invalid', { httpStatus: 401 });
  });

  it('case 98: another method or path than the signed one is refused', async () => {
    await assertRefused({ path: '/apps/app-id/batch_events' }, 'api_signature_invalid');
  });

  it('case 98: another auth_version, or none, is refused', async () => {
    await assertRefused({ version: '2.0' }, 'api_version_invalid');
    await assertRefused({ override: { auth_version: '' } }, ['api_version_invalid', 'api_signature_invalid']);
  });

  // The limit is 600 s. The future and the near side leave some seconds to a slow machine, whose clock runs on while
  // the request is under way.
  for (const [offset, taken] of [[-601, false], [610, false], [-590, true], [590, true]]) {
    it(`case 99: a timestamp of ${offset} s is ${taken ? 'taken' : 'refused'}`, async () => {
      if (taken) {
        const response = await post({ timestamp: unixTime(offset) });
        assert.equal(response.status, 200, response.text);
      } else {
        await assertRefused({ timestamp: unixTime(offset) }, 'api_timestamp_expired');
      }
    });
  }

  for (const timestamp of ['', 'abc', '1e9', '-1', '99999999999999999999', '1795208769.5']) {
    it(`case 99: the timestamp "${timestamp}" is refused`, async () => {
      await assertRefused({ timestamp }, ['api_timestamp_invalid', 'api_timestamp_expired']);
    });
  }

  it('case 100: the key of another app is refused', async () => {
    await assertRefused({ key: 'other-key', secret: 'other-secret' }, 'api_key_invalid');
    await assertRefused({ key: 'other-key' }, 'api_key_invalid');
    await assertRefused({ key: 'unknown' }, 'api_key_invalid');
  });

  it('case 100: no parameters at all are refused', async () => {
    const response = await send(server, 'GET', '/apps/app-id/channels');
    const ids = ['api_key_invalid', 'api_version_invalid', 'api_timestamp_invalid', 'api_signature_invalid'];
    await expectHttpError(server, response, ids, { httpStatus: 401 });
  });

  it('case 101: an unknown app id is answered 404', async () => {
    await assertRefused({ appId: 'nope' }, 'api_app_unknown', 404);
  });

  it('case 101: a disabled app is answered 403', async () => {
    await assertRefused({ app: server.apps[3] }, 'api_app_disabled', 403);
  });

  it('case 102: a value sent percent-encoded is signed decoded', async () => {
    const targets = [];
    const encode = (params) => {
      targets.push(encodeQuery(params));
      return targets[0];
    };
    const query = { info: 'subscription_count,cache' };
    const response = await server.request('GET', '/channels/cache-x', { query, encode });
    assert.match(targets[0], /info=subscription_count%2Ccache/);
    assert.equal(response.status, 200, response.text);
    assert.equal('cache' in response.json, true);
  });

  it('case 102: the same value sent raw is taken too', async () => {
    const query = { info: 'subscription_count,cache' };
    const encode = (params) => encodeQuery(params).replace('%2C', ',');
    const response = await server.request('GET', '/channels/cache-x', { query, encode });
    assert.equal(response.status, 200, response.text);
  });

  it('case 104: parameters in another order and with upper-case names are taken', async () => {
    const encode = (params) =>
      encodeQuery(Object.fromEntries(Object.entries(params).reverse().map(([k, v]) => [k.toUpperCase(), v])));
    const response = await post({ encode });
    assert.equal(response.status, 200, response.text);
    const mixed = await post({ encode: (params) => encode(params).replace('AUTH_KEY', 'Auth_Key') });
    assert.equal(mixed.status, 200, mixed.text);
  });
});

describe('http_auth, path_prefix', () => {
  let server;
  before(async () => {
    server = await startServer({ server: { path_prefix: '/ws' } });
  });
  after(() => server?.stop());

  it('case 103: the signature over the path without the prefix is taken', async () => {
    const response = await server.request('POST', '/events', { body: kBody });
    assert.equal(response.status, 200, response.text);
  });

  it('case 103: the signature over the path with the prefix is taken', async () => {
    const response = await server.request('POST', '/events', { body: kBody, signPrefix: true });
    assert.equal(response.status, 200, response.text);
  });
});
