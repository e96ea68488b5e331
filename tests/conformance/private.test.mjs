// Cases 38-42: private and encrypted channels.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectAuthError, expectError } from './asserts.mjs';
import { assertRow, startServer } from './harness.mjs';
import { channelAuth, hmac } from './http_client.mjs';

// The documentation's credentials, under which its vectors are printed.
const kVectorApp = { id: 'vectors', key: '278d425bdf160c739803', secret: '7ad3773142a6692b25b8' };
const kVectors = [
  ['1234.1234:private-foobar', '58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4'],
  ['1234.1234:private-encrypted-foo', 'e85caab4331194145d44feae15aea9539ea50631afacbc593a9555ceadc42357'],
  ['1234.1234:private-cache-foo', 'a62de12ce80893ec63e0af7f4628cbf23565b09a27d563cd6dee8c15fe130426'],
];

describe('private', () => {
  let server;
  before(async () => {
    server = await startServer({
      apps: [{}, kVectorApp, { id: 'strict', key: 'strict-key', secret: 'strict-secret', strict_errors: true }],
    });
    assertRow('channel_auth_invalid', { pusherCode: 4009, closeCode: 0 });
    assertRow('channel_auth_key_invalid', { pusherCode: 4009, closeCode: 0 });
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  /** After a refused subscription: an event published then reaches a member but not this client, even later. */
  async function assertNothingLeaks(client, channel) {
    const member = await server.connect();
    await member.subscribe(channel);
    await server.publish(channel, 'secret', '1');
    await member.waitFor('secret');
    await client.subscribe(channel);
    await client.barrier(channel);
    assert.deepEqual(client.all('secret'), []);
  }

  it('case 38: a valid signature is accepted, and ours is the documented one', async () => {
    for (const [text, hex] of kVectors) assert.equal(hmac(kVectorApp.secret, text), hex);
    const app = server.apps[1];
    const client = await server.connect({ key: app.key, app });
    const { auth } = server.api(app).authorizeChannel(client.socket_id, 'private-foobar');
    const frame = await client.subscribe('private-foobar', { auth });
    assert.deepEqual(frame, {
      event: 'pusher_internal:subscription_succeeded',
      channel: 'private-foobar',
      data: '{}',
    });
  });

  const wrong = {
    'wrong hex': (client, channel) => `app-key:${hmac('other-secret', `${client.socket_id}:${channel}`)}`,
    'upper-case hex of another text': () => `app-key:${'A'.repeat(64)}`,
    'short hex': (client, channel) => channelAuth(server.app, client.socket_id, channel).slice(0, -1),
    'no colon': () => 'app-key',
    'empty auth': () => '',
    'auth missing': () => undefined,
    'auth null': () => null,
    'auth a number': () => 5,
    "another socket's auth": (client, channel) => channelAuth(server.app, '1.1', channel),
    "another channel's auth": (client) => channelAuth(server.app, client.socket_id, 'private-other'),
  };
  for (const [name, auth] of Object.entries(wrong)) {
    it(`case 39: ${name} is refused, the socket stays open and gets no events`, async () => {
      const channel = `private-case-39-${name.replace(/[^a-z]/gi, '-')}`;
      const client = await server.connect();
      client.sendSubscribe(channel, { auth: auth(client, channel) });
      // Without a well-formed key part either row may be the one that fits.
      const ids = name.includes('hex') || name.includes('another') ? 'channel_auth_invalid'
        : ['channel_auth_invalid', 'channel_auth_key_invalid', 'message_malformed'];
      await expectAuthError(client, channel, ids);
      await assertNothingLeaks(client, channel);
    });
  }

  it('case 39: with strict_errors the refusal is pusher:error 4009', async () => {
    const app = server.apps[2];
    const client = await server.connect({ key: app.key, app });
    client.sendSubscribe('private-x', { auth: `strict-key:${'0'.repeat(64)}` });
    await expectError(client, 'channel_auth_invalid');
    await client.ping();
    assert.deepEqual(client.all('pusher:subscription_error'), []);
    await client.subscribe('private-x');
  });

  it('case 40: the right signature under another key is refused', async () => {
    const client = await server.connect();
    const [, hex] = channelAuth(server.app, client.socket_id, 'private-case-40').split(':');
    client.sendSubscribe('private-case-40', { auth: `other-key:${hex}` });
    await expectAuthError(client, 'private-case-40', 'channel_auth_key_invalid');
    await assertNothingLeaks(client, 'private-case-40');
  });

  it('case 41: an encrypted channel takes the same auth and relays its payload byte for byte', async () => {
    const client = await server.connect();
    await client.subscribe('private-encrypted-x');
    const data = '{"nonce":"4sVYwy4j/8dCcjyxtPCWyk19GaaViaW9","ciphertext":"/GMESnFGlbNn01BuBjp31XYa3i9vZsGKR8fgR9EDhXKx3lzGiUD501A="}';
    await server.publish('private-encrypted-x', 'notice', data);
    const frame = await client.waitFor('notice');
    assert.equal(frame.data, data);
  });

  it('case 42: a private channel with channel_data under its signature is accepted', async () => {
    const client = await server.connect();
    const channel_data = '{"user_id":"1","note":"é"}';
    const frame = await client.subscribe('private-case-42', { channel_data });
    assert.equal(frame.data, '{}');
  });

  it('case 42: channel_data that is not under the signature is refused', async () => {
    const client = await server.connect();
    const auth = channelAuth(server.app, client.socket_id, 'private-case-42b', '{"user_id":"1"}');
    client.sendSubscribe('private-case-42b', { auth, channel_data: '{"user_id":"2"}' });
    await expectAuthError(client, 'private-case-42b', 'channel_auth_invalid');
  });
});
