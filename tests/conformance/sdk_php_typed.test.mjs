// Case 118 for PHP and case 139 for Java, Swift and .NET: the requests a Laravel 12 application was seen to send are
// replayed byte for byte with new signatures, and every frame is held against what the typed SDKs can parse.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectAuthError, expectClose, expectError } from './asserts.mjs';
import { startServer } from './harness.mjs';
import { hmac, md5, stringToSign, unixTime } from './http_client.mjs';
import { connectRaw } from './raw_ws.mjs';
import { frameFaults } from './ws_client.mjs';

const kLaravel = { id: 'app1', key: 'key1', secret: 'secret1' };

/** The query in the order of pusher-http-php, values encoded as PHP does it; the signature is over the raw values. */
function phpTarget(method, path, body, query = {}) {
  const params = { auth_key: kLaravel.key, auth_timestamp: unixTime(), auth_version: '1.0' };
  if (body !== undefined) params.body_md5 = md5(body);
  Object.assign(params, query);
  const signature = hmac(kLaravel.secret, stringToSign(method, path, params));
  const pairs = Object.entries(params).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  return `${path}?${pairs.join('&')}&auth_signature=${signature}`;
}

function phpRequest(server, method, path, body, query) {
  const head = [
    `${method} ${phpTarget(method, path, body, query)} HTTP/1.1`,
    `Host: 127.0.0.1:${server.port}`,
    'User-Agent: GuzzleHttp/7',
    'Content-Type: application/json',
    'X-Pusher-Library: pusher-http-php 7.2.6',
  ];
  if (body !== undefined) head.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${head.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

/** What pusher-http-php demands of an answer: status 200 exactly and a JSON object. */
function assertPhpAccepts(response) {
  assert.equal(response.status, 200, response.body);
  const json = JSON.parse(response.body);
  assert.ok(typeof json === 'object' && json !== null && !Array.isArray(json), `an object, not ${response.body}`);
  return json;
}

describe('sdk, PHP replay', () => {
  let server;
  before(async () => {
    server = await startServer({ apps: [kLaravel] });
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  /** One request on a connection of its own, as one PHP process makes it. */
  async function php(method, path, body, query) {
    const raw = await connectRaw(server);
    raw.write(phpRequest(server, method, path, body, query));
    const response = await raw.readResponse();
    raw.destroy();
    return assertPhpAccepts(response);
  }
  const events = (body) => php('POST', '/apps/app1/events', body);

  it('case 118: broadcast() to one channel', async () => {
    const client = await server.connect();
    await client.subscribe('scada-data');
    const body = String.raw`{"name":"scada.data.received","data":"{\"seq\":1,\"ts\":1795208769.927361,\"station\":\"AWS-07\",\"temperature\":27.5,\"humidity\":81,\"\\u00fcn\\u00efcode\":\"Jakarta \\u2014 25 \\u00b0C \\\/ path\"}","channel":"scada-data"}`;
    assert.deepEqual(await events(body), {});
    const frame = await client.waitFor('scada.data.received');
    assert.strictEqual(frame.data, JSON.parse(body).data);
    assert.equal(JSON.parse(frame.data)['ünïcode'], 'Jakarta — 25 °C / path');
  });

  it('case 118: broadcast() to several channels with a class as name', async () => {
    const client = await server.connect();
    await client.subscribe('rvm-status');
    await client.subscribe('private-admin-dashboard');
    const body = String.raw`{"name":"App\\Events\\RvmStatusUpdated","data":"{\"rvmId\":1,\"status\":\"online\",\"details\":{\"bin\":42,\"ok\":true}}","channels":["rvm-status","private-admin-dashboard"]}`;
    assert.deepEqual(await events(body), {});
    for (const channel of ['rvm-status', 'private-admin-dashboard']) {
      const frame = await client.waitFor((f) => f.channel === channel && f.event.startsWith('App'));
      assert.equal(frame.event, 'App\\Events\\RvmStatusUpdated');
      assert.equal(frame.data, '{"rvmId":1,"status":"online","details":{"bin":42,"ok":true}}');
    }
  });

  it('case 118: toOthers() with a socket_id', async () => {
    const client = await server.connect();
    await client.subscribe('scada-data');
    await events('{"name":"scada.data.received","data":"{}","channel":"scada-data","socket_id":"1.1"}');
    await client.waitFor('scada.data.received');
    await events(`{"name":"hidden","data":"{}","channel":"scada-data","socket_id":"${client.socket_id}"}`);
    await client.barrier('scada-data');
    assert.deepEqual(client.all('hidden'), []);
  });

  it('case 118: an encrypted event', async () => {
    const client = await server.connect();
    await client.subscribe('private-encrypted-vault');
    const body = String.raw`{"name":"notice","data":"{\"nonce\":\"zkPr\",\"ciphertext\":\"iMba\"}","channel":"private-encrypted-vault"}`;
    await events(body);
    const frame = await client.waitFor('notice');
    assert.equal(frame.data, '{"nonce":"zkPr","ciphertext":"iMba"}');
  });

  it('case 118: a batch with info', async () => {
    const client = await server.connect();
    await client.join('presence-operators', '1', {});
    const body = String.raw`{"batch":[{"name":"b1","data":"{\"i\":1}","channel":"scada-data","info":"subscription_count"},{"name":"b2","data":"{\"i\":2}","channel":"presence-operators","info":"user_count"}]}`;
    const json = await php('POST', '/apps/app1/batch_events', body);
    assert.ok(Array.isArray(json.batch));
    assert.equal(json.batch.length, 2);
    assert.equal(typeof json.batch[0].subscription_count, 'number');
    assert.deepEqual(json.batch[1], { user_count: 1 });
    await client.waitFor('b2');
  });

  it('case 118: sendToUser', async () => {
    const client = await server.connect();
    await client.signin({ id: '1' });
    await client.subscribe('#server-to-user-1', { auth: '' });
    await events(String.raw`{"name":"hello","data":"{\"x\":1}","channel":"#server-to-user-1"}`);
    const frame = await client.waitFor('hello');
    assert.equal(frame.data, '{"x":1}');
  });

  it('case 118: terminateUserConnections of an absent and of a present user', async () => {
    assert.deepEqual(await php('POST', '/apps/app1/users/999/terminate_connections', '{}'), {});
    // Reverb answers 500 here as soon as an anonymous connection is subscribed.
    const [client, anonymous] = [await server.connect(), await server.connect()];
    await anonymous.subscribe('scada-data');
    await client.signin({ id: '998' });
    assert.deepEqual(await php('POST', '/apps/app1/users/998/terminate_connections', '{}'), {});
    await expectClose(client, 'terminated_by_api');
    await anonymous.ping();
  });

  it('case 118: get_channels without any gives an object', async () => {
    const query = { filter_by_prefix: 'presence-nobody', info: 'user_count' };
    const raw = await connectRaw(server);
    raw.write(phpRequest(server, 'GET', '/apps/app1/channels', undefined, query));
    const response = await raw.readResponse();
    raw.destroy();
    assertPhpAccepts(response);
    assert.equal(response.body.replace(/\s/g, ''), '{"channels":{}}');
  });

  it('case 118: get_channels and get_users_info', async () => {
    const client = await server.connect();
    await client.join('presence-operators', 5, {});
    const query = { filter_by_prefix: 'presence-', info: 'user_count' };
    const list = await php('GET', '/apps/app1/channels', undefined, query);
    assert.equal(list.channels['presence-operators'].user_count, 1);
    const users = await php('GET', '/apps/app1/channels/presence-operators/users', undefined);
    assert.deepEqual(users, { users: [{ id: '5' }] });
  });

  it('case 118: get_channel_info with a percent-encoded comma', async () => {
    const client = await server.connect();
    await client.join('presence-operators', '5', {});
    const query = { info: 'user_count,subscription_count' };
    const path = '/apps/app1/channels/presence-operators';
    assert.match(phpTarget('GET', path, undefined, query), /info=user_count%2Csubscription_count&auth_signature=/);
    const json = await php('GET', path, undefined, query);
    assert.equal(json.occupied, true);
    assert.equal(json.user_count, 1);
  });

  it('case 118: fifty broadcasts of one PHP process over one kept connection', async () => {
    const client = await server.connect();
    await client.subscribe('scada-data');
    const raw = await connectRaw(server);
    for (let i = 0; i < 50; ++i) {
      const body = `{"name":"kept","data":"${i}","channel":"scada-data"}`;
      raw.write(phpRequest(server, 'POST', '/apps/app1/events', body));
      assertPhpAccepts(await raw.readResponse());
    }
    assert.equal(raw.ended, false);
    raw.destroy();
    await client.barrier('scada-data');
    assert.deepEqual(client.all('kept').map((f) => f.data), Array.from({ length: 50 }, (_, i) => String(i)));
  });
});

describe('sdk, typed clients', () => {
  let server;
  before(async () => {
    server = await startServer({ apps: [{ subscription_count: true }] });
  });
  after(() => server?.stop());

  it('case 139: the check itself finds what the typed SDKs cannot parse', () => {
    const bad = [
      { event: 'pusher:connection_established', data: { socket_id: '1.1', activity_timeout: 120 } },
      { event: 'pusher_internal:subscription_succeeded', channel: 'c', data: {} },
      {
        event: 'pusher_internal:subscription_succeeded',
        channel: 'c',
        data: '{"presence":{"ids":[1],"hash":{"1":{}},"count":1}}',
      },
      {
        event: 'pusher_internal:subscription_succeeded',
        channel: 'c',
        data: '{"presence":{"ids":["1"],"hash":[],"count":1}}',
      },
      { event: 'pusher_internal:member_added', channel: 'c', data: '{"user_id":1}' },
      { event: 'pusher:error', data: '{"code":4200,"message":"x"}' },
      { event: 'client-x', channel: 'presence-c', data: {}, user_id: 1 },
      { event: 'e', channel: 'c', data: {} },
    ];
    for (const frame of bad) assert.ok(frameFaults(frame).length > 0, JSON.stringify(frame));
    const good = { event: 'pusher_internal:member_added', channel: 'c', data: '{"user_id":"1"}' };
    assert.deepEqual(frameFaults(good), []);
  });

  // The first messages of pusher-websocket-java, -swift and -dotnet, which differ in what they leave out.
  for (const [sdk, query, subscribe] of [
    ['Java', 'client=java-client&protocol=7&version=2.4.4', (channel, auth) => ({ channel, ...auth })],
    ['Swift', 'client=pusher-websocket-swift&protocol=7&version=10.1.5', (channel, auth) => ({ channel, ...auth })],
    ['.NET', 'protocol=7&client=pusher-dotnet-client&version=2.1.0', (channel, auth) => ({ ...auth, channel })],
  ]) {
    it(`case 139: ${sdk}: connect, private, presence, client event, errors, sign-in are all parseable`, async () => {
      const name = sdk.replace(/\W/g, '');
      const path = `/app/app-key?${query}`;
      const [a, b] = [await server.connect({ path }), await server.connect({ path })];
      const api = server.api();
      const succeeded = (channel) => (f) =>
        f.event === 'pusher_internal:subscription_succeeded' && f.channel === channel;
      const channels = [`${name}-public`, `private-${name}`, `presence-${name}`, `cache-${name}`];
      for (const [i, client] of [a, b].entries()) {
        for (const channel of channels) {
          const member = { user_id: i + 1, user_info: { name: `user ${i}` } };
          const data = channel.startsWith('presence-') ? member : undefined;
          const auth = /^(private|presence)-/.test(channel) ? api.authorizeChannel(client.socket_id, channel, data) : {};
          client.send({ event: 'pusher:subscribe', data: subscribe(channel, auth) });
          await client.waitFor(succeeded(channel));
        }
      }
      await a.waitFor('pusher_internal:member_added');
      await a.waitFor('pusher:cache_miss');
      a.trigger('client-x', `presence-${name}`, { text: 'hi' });
      const relayed = await b.waitFor('client-x');
      assert.strictEqual(relayed.user_id, '1');
      await server.publish(channels, 'api', '{"n":1}');
      for (const channel of channels) await b.waitFor((f) => f.event === 'api' && f.channel === channel);
      a.send({ event: 'pusher:subscribe', data: { channel: 'private-refused', auth: 'app-key:00' } });
      await expectAuthError(a, 'private-refused', 'channel_auth_invalid');
      a.send('not json');
      await expectError(a, 'message_malformed');
      await a.signin({ id: `user-${name}`, watchlist: ['x'] });
      await a.waitFor('pusher_internal:watchlist_events');
      await a.waitFor('pusher_internal:subscription_count');
      b.terminate();
      const removed = await a.waitFor('pusher_internal:member_removed');
      assert.strictEqual(JSON.parse(removed.data).user_id, '2');
      await a.ping();
      for (const client of [a, b]) {
        for (const frame of client.frames) assert.deepEqual(frameFaults(frame), [], JSON.stringify(frame));
      }
      a.terminate();
    });
  }
});
