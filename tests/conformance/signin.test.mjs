// Cases 73-80: sign-in, user channels and terminating users.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectAuthError, expectClose, expectError, expectSubscriptionError } from './asserts.mjs';
import { assertRow, startServer } from './harness.mjs';
import { hmac, signinAuth } from './http_client.mjs';

describe('signin', () => {
  let server;
  before(async () => {
    server = await startServer({
      apps: [
        {},
        { id: 'timed', key: 'timed-key', require_authorization: true, auth_timeout_ms: 2000 },
        { id: 'without', key: 'without-key', user_authentication: false },
      ],
    });
    assertRow('signin_invalid', { closeCode: 4009, pusherCode: 4009 });
    assertRow('user_channel_refused', { closeCode: 0, pusherCode: 4009 });
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  it('case 73: a valid sign-in is echoed with a string id', async () => {
    const vector = hmac('7ad3773142a6692b25b8', '1234.1234::user::{"id":"12345"}');
    assert.equal(vector, '4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba');
    const client = await server.connect();
    const user = { id: '12345', user_info: { name: 'é' } };
    const { auth, user_data } = server.api().authenticateUser(client.socket_id, user);
    client.send({ event: 'pusher:signin', data: { auth, user_data } });
    const frame = await client.waitFor('pusher:signin_success');
    const data = typeof frame.data === 'string' ? JSON.parse(frame.data) : frame.data;
    assert.equal(data.user_data, user_data, 'the text that was signed');
    assert.strictEqual(JSON.parse(data.user_data).id, '12345');
    assert.equal('auth' in data, false, 'the signature is not sent back');
  });

  for (const [name, user_data, sign_as] of [
    ['a wrong signature', '{"id":"1"}', '{"id":"2"}'],
    ['user_data without id', '{"user_info":{}}'],
    ['an empty id', '{"id":""}'],
    ['a numeric id', '{"id":5}'],
    ['user_data that is not JSON', 'not json'],
    ['user_data that is an array', '[]'],
  ]) {
    it(`case 74: ${name} gets pusher:error 4009 and close 4009`, async () => {
      const client = await server.connect();
      const auth = signinAuth(server.app, client.socket_id, sign_as ?? user_data);
      client.sendSignin(user_data, { auth });
      await expectClose(client, 'signin_invalid');
      assert.deepEqual(client.all('pusher:signin_success'), []);
    });
  }

  it('case 74: another key in the signature is refused', async () => {
    const client = await server.connect();
    const hex = hmac(server.app.secret, `${client.socket_id}::user::{"id":"1"}`);
    client.sendSignin('{"id":"1"}', { auth: `other-key:${hex}` });
    await expectClose(client, 'signin_invalid');
  });

  it('case 75: the signed-in user may subscribe to its own user channel', async () => {
    const client = await server.connect();
    await client.signin({ id: '12345' });
    const frame = await client.subscribe('#server-to-user-12345', { auth: '' });
    assert.equal(frame.data, '{}');
  });

  it("case 76: another user's channel is refused", async () => {
    const client = await server.connect();
    await client.signin({ id: '12345' });
    client.sendSubscribe('#server-to-user-other', { auth: '' });
    await expectAuthError(client, '#server-to-user-other', 'user_channel_refused');
    client.sendSubscribe('#server-to-user-', { auth: '' });
    await expectSubscriptionError(client, '#server-to-user-', ['user_channel_refused', 'channel_name_invalid']);
  });

  it('case 76: without sign-in the user channel is refused', async () => {
    const client = await server.connect();
    client.sendSubscribe('#server-to-user-12345', { auth: '' });
    await expectAuthError(client, '#server-to-user-12345', 'user_channel_refused');
  });

  it('case 77: an event to a user reaches all its sockets and nobody else', async () => {
    const clients = await Promise.all([server.connect(), server.connect(), server.connect(), server.connect()]);
    const [first, second, other, anonymous] = clients;
    for (const client of [first, second]) {
      await client.signin({ id: 'user-77' });
      await client.subscribe('#server-to-user-user-77', { auth: '' });
    }
    await other.signin({ id: 'user-77-other' });
    await other.subscribe('#server-to-user-user-77-other', { auth: '' });
    await anonymous.subscribe('case-77');
    const response = await server.api().sendToUser('user-77', 'hello', { x: 1 });
    assert.equal(response.status, 200);
    for (const client of [first, second]) {
      const frame = await client.waitFor('hello');
      assert.deepEqual(frame, { event: 'hello', channel: '#server-to-user-user-77', data: '{"x":1}' });
      await client.barrier('#server-to-user-user-77');
      assert.equal(client.all('hello').length, 1, 'one copy');
    }
    await other.barrier('#server-to-user-user-77-other');
    await anonymous.barrier('case-77');
    assert.deepEqual([...other.all('hello'), ...anonymous.all('hello')], []);
  });

  it('case 77: a signed-in socket gets it without subscribing to its user channel', async () => {
    const client = await server.connect();
    await client.signin({ id: 'user-77b' });
    await server.publish('#server-to-user-user-77b', 'hello', '1');
    await client.waitFor('hello');
  });

  it('case 78: a second sign-in as another user is refused', async () => {
    assertRow('signin_other_user', { closeCode: 4009, pusherCode: 4009 });
    const client = await server.connect();
    await client.signin({ id: 'one' });
    client.sendSignin({ id: 'two' });
    await expectClose(client, 'signin_other_user');
    assert.equal(client.all('pusher:signin_success').length, 1);
  });

  it('case 79: an app that requires authorization closes idle strangers with 4009', async () => {
    assertRow('auth_timeout', { closeCode: 4009, pusherCode: 4009 });
    const app = server.apps[1];
    const open = () => server.connect({ key: app.key, app });
    const member = await open();
    await member.subscribe('private-79');
    const present = await open();
    await present.join('presence-79', '1', {});
    const user = await open();
    await user.signin({ id: 'user-79' });
    // Opened last: when its time is over, that of the others is too.
    const stranger = await open();
    await stranger.subscribe('case-79');
    await expectClose(stranger, 'auth_timeout');
    for (const client of [member, present, user]) {
      await client.ping();
      assert.equal(client.closed, null);
    }
  });

  it('case 80: terminating a user closes all its sockets with 4009', async () => {
    assertRow('terminated_by_api', { closeCode: 4009, pusherCode: 4009 });
    const clients = await Promise.all(Array.from({ length: 5 }, () => server.connect()));
    const other = clients.pop();
    for (const client of clients) await client.signin({ id: 'user-80' });
    await other.signin({ id: 'user-80-other' });
    const response = await server.api().terminateUserConnections('user-80');
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {});
    for (const client of clients) await expectClose(client, 'terminated_by_api');
    await other.ping();
  });

  it('case 80: terminating a user without connections is answered 200', async () => {
    const response = await server.request('POST', '/users/nobody/terminate_connections', { body: '{}' });
    assert.equal(response.status, 200);
    assert.deepEqual(response.json, {});
  });

  it('case 80: force_reconnect closes with 4200', async () => {
    assertRow('forced_reconnect', { closeCode: 4200, pusherCode: 4200 });
    const client = await server.connect();
    await client.signin({ id: 'user-80c' });
    const response = await server.request('POST', '/users/user-80c/force_reconnect', { body: '{}' });
    assert.equal(response.status, 200, response.text);
    await expectClose(client, 'forced_reconnect');
  });

  it('case 73: an app without user authentication says so and stays connected', async () => {
    assertRow('signin_disabled', { closeCode: 0, pusherCode: 4009 });
    const app = server.apps[2];
    const client = await server.connect({ key: app.key, app });
    client.sendSignin({ id: '1' });
    await expectError(client, 'signin_disabled');
    await client.ping();
  });
});
