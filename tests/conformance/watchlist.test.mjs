// Cases 81-83: online status of watched users.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectError } from './asserts.mjs';
import { assertRow, startServer } from './harness.mjs';

const kWatchlist = 'pusher_internal:watchlist_events';

describe('watchlist', () => {
  let server;
  before(async () => {
    server = await startServer();
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  /** What one frame says: [["offline", [...ids]], ["online", [...ids]]]. */
  function events(frame) {
    assert.equal(typeof frame.data, 'string');
    assert.equal('channel' in frame, false);
    return JSON.parse(frame.data)
      .events.map((event) => [event.name, [...event.user_ids].sort()])
      .sort();
  }

  /** Waits for news of one user after frame index `from`. */
  function waitNews(client, name, user_id, from) {
    return client.waitFor(
      (frame) =>
        frame.event === kWatchlist && events(frame).some(([n, ids]) => n === name && ids.includes(user_id)),
      { from, what: `${user_id} ${name}` },
    );
  }

  it('case 81: the first frame tells who is online and who is not', async () => {
    const [a, b] = [await server.connect(), await server.connect()];
    await b.signin({ id: 'b-81' });
    await a.signin({ id: 'a-81', watchlist: ['b-81', 'c-81'] });
    const frame = await a.waitFor(kWatchlist);
    assert.deepEqual(events(frame), [['offline', ['c-81']], ['online', ['b-81']]]);
    assert.ok(
      a.frames.indexOf(frame) > a.frames.findIndex((f) => f.event === 'pusher:signin_success'),
      'it follows the success',
    );
  });

  it('case 82: a watched user comes online, and goes offline with its last socket', async () => {
    const [a, c1, c2] = await Promise.all([server.connect(), server.connect(), server.connect()]);
    await a.signin({ id: 'a-82', watchlist: ['c-82'] });
    const first = await a.waitFor(kWatchlist);
    assert.deepEqual(events(first), [['offline', ['c-82']]]);
    let from = a.frames.length;
    await c1.signin({ id: 'c-82' });
    const online = await waitNews(a, 'online', 'c-82', from);
    assert.deepEqual(events(online), [['online', ['c-82']]]);
    await c2.signin({ id: 'c-82' });
    from = a.frames.length;
    await c1.close();
    await c2.ping();
    await c2.close();
    const offline = await waitNews(a, 'offline', 'c-82', from);
    assert.deepEqual(events(offline), [['offline', ['c-82']]]);
    assert.equal(a.all(kWatchlist).length, 3, 'no news of the second socket');
  });

  it('case 83: of 101 ids the first 100 are watched, and pusher:error 4302 says so', async () => {
    assertRow('watchlist_too_long', { pusherCode: 4302, closeCode: 0 });
    const ids = Array.from({ length: 101 }, (_, i) => `w-${i}`);
    const [a, last, beyond] = await Promise.all([server.connect(), server.connect(), server.connect()]);
    await a.signin({ id: 'a-83', watchlist: ids });
    await expectError(a, 'watchlist_too_long');
    const first = await a.waitFor(kWatchlist);
    assert.deepEqual(events(first), [['offline', ids.slice(0, 100).sort()]]);
    await beyond.signin({ id: 'w-100' });
    await last.signin({ id: 'w-99' });
    await waitNews(a, 'online', 'w-99', 0);
    await a.ping();
    const told = a.all(kWatchlist).flatMap((frame) => events(frame).flatMap(([, users]) => users));
    assert.equal(told.includes('w-100'), false);
  });
});
