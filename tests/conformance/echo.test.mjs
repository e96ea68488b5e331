// Case 136: laravel-echo with the broadcasters reverb and pusher, as in the Laravel documentation.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { eventually, kWaitMs, startServer } from './harness.mjs';
import { disconnectAll, echo, encryptingApi } from './sdk_clients.mjs';

/** A promise and the function that keeps it, for callbacks of Echo; it breaks when nothing comes in time. */
function deferred() {
  const result = {};
  result.promise = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Echo did not call back')), kWaitMs);
    result.resolve = (value) => {
      clearTimeout(timer);
      resolve(value);
    };
  });
  // Whoever awaits it sees the error; one that is never awaited must not end the process.
  result.promise.catch(() => {});
  return result;
}

for (const broadcaster of ['reverb', 'pusher']) {
  describe(`echo, ${broadcaster}`, () => {
    let server;
    before(async () => {
      server = await startServer();
    });
    after(async () => {
      disconnectAll();
      await server?.stop();
    });
    afterEach(disconnectAll);

    const subscribed = (channel) => {
      const done = deferred();
      channel.subscribed(done.resolve);
      return done.promise;
    };
    const user = (id, name) => ({ user_id: id, user_info: { id, name } });

    it('case 136: listen on public, private and encrypted channels, by class and by name', async () => {
      const client = await echo(server, broadcaster);
      const api = encryptingApi(server);
      const [by_class, by_name, secret] = [deferred(), deferred(), deferred()];
      const orders = client.channel('orders').listen('OrderShipped', by_class.resolve);
      const own = client.private('orders.1').listen('.order.shipped', by_name.resolve);
      const vault = client.encryptedPrivate('vault').listen('.notice', secret.resolve);
      await Promise.all([orders, own, vault].map(subscribed));
      await api.trigger('orders', 'App\\Events\\OrderShipped', { id: 1 });
      assert.deepEqual(await by_class.promise, { id: 1 });
      await api.trigger('private-orders.1', 'order.shipped', { id: 2 });
      assert.deepEqual(await by_name.promise, { id: 2 });
      await api.trigger('private-encrypted-vault', 'notice', { id: 3 });
      assert.deepEqual(await secret.promise, { id: 3 });
    });

    it('case 136: join tells here, joining and leaving', async () => {
      const ann = await echo(server, broadcaster, { member: user('1', 'Ann') });
      const bob = await echo(server, broadcaster, { member: user('2', 'Bob') });
      const [here, joining, leaving, bob_here] = [deferred(), deferred(), deferred(), deferred()];
      ann.join('chat.1').here(here.resolve).joining(joining.resolve).leaving(leaving.resolve);
      assert.deepEqual(await here.promise, [{ id: '1', name: 'Ann' }]);
      bob.join('chat.1').here(bob_here.resolve);
      const both = await bob_here.promise;
      assert.deepEqual(both.map((member) => member.name).sort(), ['Ann', 'Bob']);
      assert.deepEqual(await joining.promise, { id: '2', name: 'Bob' });
      bob.leave('chat.1');
      assert.deepEqual(await leaving.promise, { id: '2', name: 'Bob' });
    });

    it('case 136: whisper reaches the others', async () => {
      const [ann, bob] = [await echo(server, broadcaster), await echo(server, broadcaster)];
      const typing = deferred();
      const from = ann.private('chat.2');
      const to = bob.private('chat.2').listenForWhisper('typing', typing.resolve);
      await Promise.all([subscribed(from), subscribed(to)]);
      from.whisper('typing', { name: 'Ann' });
      assert.deepEqual(await typing.promise, { name: 'Ann' });
    });

    it('case 136: listenToAll gets every event with its name', async () => {
      const client = await echo(server, broadcaster);
      const seen = [];
      const channel = client.channel('all').listenToAll((event, data) => seen.push([event, data]));
      await subscribed(channel);
      await server.api().trigger('all', 'App\\Events\\One', { n: 1 });
      await server.api().trigger('all', 'two', { n: 2 });
      const own = () => seen.filter(([, data]) => data?.n);
      await eventually(() => own().length >= 2, 'both events');
      // Echo strips its namespace App.Events and puts a dot before all other names.
      assert.deepEqual(own(), [['One', { n: 1 }], ['.two', { n: 2 }]]);
    });

    it('case 136: notifications arrive', async () => {
      const client = await echo(server, broadcaster);
      const note = deferred();
      const channel = client.private('App.Models.User.1').notification(note.resolve);
      await subscribed(channel);
      const name = 'Illuminate\\Notifications\\Events\\BroadcastNotificationCreated';
      await server.api().trigger('private-App.Models.User.1', name, { type: 'x' });
      assert.deepEqual(await note.promise, { type: 'x' });
    });

    it('case 136: leaving a channel ends its events', async () => {
      const client = await echo(server, broadcaster);
      const witness = await server.connect();
      await witness.subscribe('left');
      const seen = [];
      await subscribed(client.channel('left').listen('.e', (data) => seen.push(data)));
      await server.api().trigger('left', 'e', { n: 1 });
      await eventually(() => seen.length === 1, 'the first event');
      client.leave('left');
      await eventually(async () => {
        const response = await server.request('GET', '/channels/left', { query: { info: 'subscription_count' } });
        return response.json.subscription_count === 1;
      }, 'the subscription to be gone');
      await server.api().trigger('left', 'e', { n: 2 });
      await witness.barrier('left');
      const again = client.channel('left').listen('.marker', (data) => seen.push(data));
      await subscribed(again);
      await server.api().trigger('left', 'marker', { n: 3 });
      await eventually(() => seen.at(-1).n === 3, 'the marker');
      assert.deepEqual(seen, [{ n: 1 }, { n: 3 }]);
      witness.terminate();
    });

    it('case 136: a refused private channel calls error()', async () => {
      const client = await echo(server, broadcaster, { app: { ...server.app, secret: 'wrong' } });
      const failed = deferred();
      client.private('refused').error(failed.resolve);
      const error = await failed.promise;
      assert.equal(error.status, 401);
      assert.equal(error.reason, 'channel_auth_invalid');
      await server.refusedLog('channel_auth_invalid');
    });
  });
}
