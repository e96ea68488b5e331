// Figure 15: wrong proofs by the thousand each second, over WebSockets and the HTTP API: each is refused with its row, and
// an honest client is served as before.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';

import { reasonRow, startServer } from '../conformance/harness.mjs';
import { channelAuth } from '../conformance/http_client.mjs';
import { kLong, ms, report, sleep, startHonest } from './chaos.mjs';

const kPerSecond = kLong ? 5000 : 1000;
const kSeconds = kLong ? 30 : 4;
const kAttackers = 20;
const kTickMs = 20;
const kHttpOneIn = 10;

/** Wrong proofs for a client: the data of a pusher:subscribe, and the row that refuses it. */
const kWrong = [
  (client) => [{ channel: 'private-a', auth: channelAuth(client.app, '1.2', 'private-a') }, 'channel_auth_invalid'],
  () => [{ channel: 'private-a', auth: `app-key:${'0'.repeat(64)}` }, 'channel_auth_invalid'],
  () => [{ channel: 'private-a', auth: `other-key:${'0'.repeat(64)}` }, 'channel_auth_key_invalid'],
  (client) => {
    const auth = channelAuth(client.app, client.socket_id, 'presence-a', '{"user_id":"u"}');
    return [{ channel: 'presence-a', auth, channel_data: '{"user_id":"v"}' }, 'channel_auth_invalid'];
  },
  (client) => {
    const app = { ...client.app, secret: 'of another app' };
    return [{ channel: 'private-encrypted-a', auth: channelAuth(app, client.socket_id, 'private-encrypted-a') }, 'channel_auth_invalid'];
  },
];

describe('figure 15: wrong proofs', () => {
  let server;
  const agent = new http.Agent({ keepAlive: true, maxSockets: kAttackers });
  before(async () => {
    server = await startServer({ log: { level: 'info' } });
  });
  after(async () => {
    agent.destroy();
    await server?.stop();
  });

  /** The status of a request with a signature that does not fit. */
  function badRequest() {
    const query = `auth_key=app-key&auth_timestamp=${Math.floor(Date.now() / 1000)}&auth_version=1.0&auth_signature=${'0'.repeat(64)}`;
    return new Promise((resolve, reject) => {
      const options = { host: server.host, port: server.port, path: `/apps/app-id/channels?${query}`, agent };
      http.get(options, (response) => response.resume().on('end', () => resolve(response.statusCode))).on('error', reject);
    });
  }

  it(`${kPerSecond} a second for ${kSeconds} s: all are refused, an honest client hears everything`, async () => {
    const calm = await startHonest(server);
    await sleep(kSeconds * 1000);
    const alone = await calm.stop();

    const attackers = await Promise.all(Array.from({ length: kAttackers }, () => server.connect()));
    const proofs = attackers.map((client) => kWrong.map((make) => make(client)));
    const expected = new Map();
    const requests = [];
    const honest = await startHonest(server);
    const begin = performance.now();
    let sent = 0;
    for (let now = 0; now < kSeconds * 1000; now = performance.now() - begin) {
      for (const due = Math.floor((now * kPerSecond) / 1000); sent < due; ++sent) {
        if (sent % kHttpOneIn === 0) {
          requests.push(badRequest());
          continue;
        }
        const [data, reason] = proofs[sent % kAttackers][Math.floor(sent / kAttackers) % kWrong.length];
        attackers[sent % kAttackers].send({ event: 'pusher:subscribe', data });
        expected.set(reason, (expected.get(reason) ?? 0) + 1);
      }
      await sleep(kTickMs);
    }
    const statuses = await Promise.all(requests);
    await Promise.all(attackers.map((client) => client.ping()));
    const took = performance.now() - begin;
    const beside = await honest.stop();

    const seen = new Map();
    for (const client of attackers) {
      for (const { data } of client.all('pusher:subscription_error')) seen.set(data.reason, (seen.get(data.reason) ?? 0) + 1);
      assert.deepEqual(client.all('pusher_internal:subscription_succeeded'), []);
    }
    report('figure 15', {
      'wrong proofs': sent,
      'a second': Math.round((sent * 1000) / took),
      'honest p99': ms(beside.p99),
      'without them': ms(alone.p99),
      'longest ping': ms(beside.ping),
    });
    assert.deepEqual(new Map([...seen].sort()), new Map([...expected].sort()));
    assert.deepEqual([...new Set(statuses)], [reasonRow('api_signature_invalid').http_status]);
  });
});
