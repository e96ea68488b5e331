// A connection that floods the server with control messages gets its answers, or is closed for not reading them; the
// others on the same shard are served meanwhile, and memory stays where it was. That holds without the limit of messages
// (app.client_messages_per_second), because a shard takes at most 64 KiB from a connection before it turns to the next.
// KILAT_FLOOD_MS (default 1500): how long each flood lasts. KILAT_FLOODERS (default 1): connections that flood at once.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { startServer } from './harness.mjs';
import { channelAuth } from './http_client.mjs';
import { connectRawPusher, encodeFrame, kOpcode } from './raw_ws.mjs';

const kFloodMs = Number(process.env.KILAT_FLOOD_MS || 1500);
const kFlooders = Number(process.env.KILAT_FLOODERS || 1);
const kMembers = 100;
const kMiB = 1024 * 1024;

const text = (message) => encodeFrame(kOpcode.text, JSON.stringify(message));
const residentBytes = (server) =>
  1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]);

/** Sends `bytes` again and again for kFloodMs as fast as the server takes them, and reads all answers. */
function flood(raw, bytes) {
  const many = Buffer.concat(Array(Math.ceil(65_536 / bytes.length)).fill(bytes));
  let sent = 0;
  raw.socket.removeAllListeners('data');
  raw.socket.resume();
  const until = performance.now() + kFloodMs;
  return new Promise((resolve) => {
    let over = false;
    const finish = () => {
      if (over) return;
      over = true;
      raw.destroy();
      resolve(sent);
    };
    const pump = () => {
      while (!over && performance.now() < until) {
        sent += many.length / bytes.length;
        if (!raw.socket.write(many)) return;
      }
      finish();
    };
    raw.socket.on('drain', pump);
    for (const event of ['end', 'close', 'error']) raw.socket.on(event, finish);
    setTimeout(finish, kFloodMs + 500);
    pump();
  });
}

describe('floods of control messages', () => {
  let server;
  before(async () => {
    server = await startServer({
      log: { level: 'info' },
      apps: [{ client_messages_per_second: 0 }],
      // What AddressSanitizer keeps of freed memory is no growth.
      env: { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=4` },
    });
  });
  after(() => server?.stop());

  /** What each flooder repeats; may prepare its connection first. */
  const kFloods = {
    'WebSocket pings': () => encodeFrame(kOpcode.ping, 'x'),
    'pusher:ping': () => text({ event: 'pusher:ping', data: {} }),
    'subscribe and unsubscribe of one channel': (raw, k) =>
      Buffer.concat([
        text({ event: 'pusher:subscribe', data: { channel: `flood-${k}`, auth: '' } }),
        text({ event: 'pusher:unsubscribe', data: { channel: `flood-${k}` } }),
      ]),
    'one subscription again and again': () => text({ event: 'pusher:subscribe', data: { channel: 'flood', auth: '' } }),
    'a full presence channel again and again': (raw) => {
      const channel_data = JSON.stringify({ user_id: 'm0', user_info: { text: 'x'.repeat(1500) } });
      const auth = channelAuth(server.app, raw.socket_id, 'presence-flood', channel_data);
      return text({ event: 'pusher:subscribe', data: { channel: 'presence-flood', auth, channel_data } });
    },
    'signatures that are wrong': () =>
      text({ event: 'pusher:subscribe', data: { channel: 'private-flood', auth: `app-key:${'0'.repeat(64)}` } }),
    'client events that are refused': () => text({ event: 'client-x', channel: 'flood', data: {} }),
  };

  /** Publishes until it is taken; returns how often it was refused for want of room between the shards. */
  async function publish(data) {
    for (let refused = 0; ; ++refused) {
      const body = { name: 'e', channel: 'honest', data };
      const { status, headers, text: answer } = await server.request('POST', '/events', { body });
      if (status === 200) return refused;
      assert.equal(status, 503, answer);
      assert.ok(Number(headers['retry-after']) > 0, 'Retry-After');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  it('others are served during each of them', async () => {
    // The presence channel has as many members as it may, each with a long user_info.
    const members = [];
    for (let i = 0; i < kMembers; ++i) {
      const member = await server.connect();
      const channel_data = JSON.stringify({ user_id: `m${i}`, user_info: { text: 'x'.repeat(1500) } });
      await member.subscribe('presence-flood', { channel_data });
      member.socket.removeAllListeners('message');
      members.push(member);
    }
    const reader = await server.connect();
    await reader.subscribe('honest');
    for (const [name, make] of Object.entries(kFloods)) {
      const resident = residentBytes(server);
      const flooders = await Promise.all(Array.from({ length: kFlooders }, () => connectRawPusher(server)));
      let over = false;
      const flooding = Promise.all(flooders.map((raw, k) => flood(raw, make(raw, k)))).then((counts) => {
        over = true;
        return counts.reduce((sum, count) => sum + count, 0);
      });
      let rounds = 0;
      let refused = 0;
      let longest = 0;
      let highest = resident;
      while (!over || rounds === 0) {
        const from = reader.frames.length;
        const start = performance.now();
        await reader.ping();
        refused += await publish(`${rounds}`);
        await reader.waitFor((frame) => frame.event === 'e' && frame.data === `${rounds}`, { from });
        longest = Math.max(longest, performance.now() - start);
        highest = Math.max(highest, residentBytes(server));
        ++rounds;
      }
      const sent = await flooding;
      const growth = highest - resident;
      console.log(
        `flood of ${name}: ${sent} messages, ${rounds} honest rounds, ${refused} publishes refused, longest ` +
          `${longest.toFixed(1)} ms, ` +
          `growth ${(growth / kMiB).toFixed(1)} MiB`,
      );
      assert.equal(reader.closed, null, `the honest reader during ${name}`);
      assert.ok(growth < 128 * kMiB, `resident memory grew by ${(growth / kMiB).toFixed(1)} MiB during ${name}`);
    }
    for (const member of members) assert.equal(member.closed, null);
  });
});
