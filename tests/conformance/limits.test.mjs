// Limits of client addresses, behind a proxy's header and behind the PROXY protocol; of connections that stay plain HTTP;
// of an app's new connections; and of what one connection may send.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

import { assertRow, configText, eventually, kBinary, startServer } from './harness.mjs';
import { get } from './plain_get.mjs';
import { connectRawPusher, encodeFrame, kOpcode } from './raw_ws.mjs';
import { portOf, readToEnd, tcpConnect } from './tls_lab.mjs';

const kTrusted = { trusted_proxies: ['127.0.0.1'] };
const from = (address) => ({ headers: { 'X-Forwarded-For': address } });

/** Connects and asserts that it is refused with this reason, and that the close lets clients come back. */
async function refused(server, reason, options) {
  const row = assertRow(reason, { closeCode: 4100, pusherCode: 4100 });
  const client = await server.connect({ ...options, established: false });
  assert.equal(client.frames[0].event, 'pusher:error');
  assert.deepEqual(client.frames[0].data, { code: row.pusher_code, message: row.text, reason });
  await client.until(() => client.closed, 'the close', { even_closed: true });
  assert.equal(client.closed.code, 4100);
}

/** Connects as soon as there is room again: the end of another connection is noticed a little later. */
function admitted(server, options) {
  return eventually(async () => {
    const client = await server.connect({ ...options, established: false });
    return client.frames[0].event === 'pusher:connection_established' ? client : null;
  }, 'room for a connection');
}

const figure = async (server, name) => {
  const { text } = await get(server.metrics_port, '/metrics');
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
};

/** Sends a PROXY header for `address`, then what the text says; resolves with all that comes until the end. */
async function behindProxy(server, address, text) {
  const socket = await tcpConnect({ port: portOf(server, 'proxy_protocol') });
  socket.write(`PROXY TCP4 ${address} 127.0.0.1 4000 80\r\n${text}`);
  return { socket, all: readToEnd(socket) };
}

describe('limits of one client address', () => {
  it('count WebSockets by the header of a trusted proxy, and proxies themselves not', async () => {
    const server = await startServer({
      server: kTrusted,
      limits: { connections_per_ip_max: 2 },
      metrics: { listen: '127.0.0.1:0' },
    });
    const one = await server.connect(from('192.0.2.7'));
    await server.connect(from('6.6.6.6, 192.0.2.7'));
    await refused(server, 'address_over_quota', from('192.0.2.7'));
    const warned = await server.waitForLog((line) => line.event === 'address_limited', 'the warning');
    assert.equal(warned.client, '192.0.2.7');
    assert.match(warned.remedy, /trusted_proxies/);
    await server.connect(from('192.0.2.8'));
    assert.equal(await figure(server, 'kilat_tracked_addresses'), 2);
    assert.equal(await figure(server, 'kilat_refusals_total\\{reason="address_over_quota"\\}'), 1);
    for (let i = 0; i < 5; ++i) await server.connect();

    one.terminate();
    await admitted(server, from('192.0.2.7'));
    await refused(server, 'address_over_quota', from('192.0.2.7'));
    await server.stop();
  });

  it('count IPv6 clients by their /64', async () => {
    const server = await startServer({ server: kTrusted, limits: { connections_per_ip_max: 1 } });
    await server.connect(from('2001:db8:1:1::5'));
    await refused(server, 'address_over_quota', from('2001:db8:1:1:ffff::6'));
    await server.connect(from('2001:db8:1:2::5'));
    await server.stop();
  });

  it('do not count requests that a proxy sends for many clients on one connection', async () => {
    const server = await startServer({ server: kTrusted, limits: { connections_per_ip_max: 1 } });
    await server.connect(from('192.0.2.7'));
    const socket = await tcpConnect({ port: server.port });
    const all = readToEnd(socket);
    const request = (more) => `GET /up HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.7\r\n${more}\r\n`;
    socket.write(request('') + request('') + request('Connection: close\r\n'));
    assert.equal((await all).toString().match(/HTTP\/1\.1 200/g)?.length, 3);
    await server.stop();
  });

  it('believe no header of a stranger', async () => {
    const server = await startServer({ limits: { connections_per_ip_max: 1 } });
    for (let i = 0; i < 4; ++i) await server.connect(from('192.0.2.7'));
    await server.stop();
  });

  it('count connections of the PROXY protocol, plain HTTP as well, and close them without an answer', async () => {
    const server = await startServer({
      server: { listen: ['127.0.0.1:0', '127.0.0.1:0 proxy_protocol'], ...kTrusted },
      limits: { connections_per_ip_max: 1 },
    });
    const request = 'GET /up HTTP/1.1\r\nHost: x\r\n\r\n';
    const first = await behindProxy(server, '192.0.2.9', request);
    await new Promise((resolve) => first.socket.once('data', resolve));
    const second = await behindProxy(server, '192.0.2.9', request);
    assert.equal((await second.all).toString(), '');
    await server.refusedLog('address_over_quota');
    const closed = await server.waitForLog((line) => line.event === 'connection_closed', 'the close');
    assert.equal(closed.reason, 'address_over_quota');
    const other = await behindProxy(server, '192.0.2.10', request.replace('x\r\n', 'x\r\nConnection: close\r\n'));
    assert.match((await other.all).toString(), /^HTTP\/1\.1 200/);
    first.socket.destroy();
    await eventually(async () => {
      const again = await behindProxy(server, '192.0.2.9', request.replace('x\r\n', 'x\r\nConnection: close\r\n'));
      return (await again.all).toString().startsWith('HTTP/1.1 200');
    }, 'room for the address');
    await server.stop();
  });

  it('limit how fast connections come, with ten times as many at once', async () => {
    const server = await startServer({ server: kTrusted, limits: { connects_per_ip_per_second: 1 } });
    let established = 0;
    let last = null;
    // However slow the machine is: a try takes less than a second.
    for (let i = 0; i < 200 && last !== 'pusher:error'; ++i) {
      const client = await server.connect({ ...from('192.0.2.7'), established: false });
      last = client.frames[0].event;
      if (last !== 'pusher:error') ++established;
      else assert.equal(client.frames[0].data.reason, 'address_too_fast');
      client.terminate();
    }
    assert.equal(last, 'pusher:error');
    assert.ok(established >= 10, `${established} at once`);
    await server.connect(from('192.0.2.8'));
    await admitted(server, from('192.0.2.7'));
    await server.stop();
  });

  it('follow a reload', async () => {
    const options = { server: kTrusted, limits: { connections_per_ip_max: 1 } };
    const server = await startServer(options);
    await server.connect(from('192.0.2.7'));
    await refused(server, 'address_over_quota', from('192.0.2.7'));
    writeFileSync(path.join(server.directory, 'kilat.toml'), configText({ ...options, limits: { connections_per_ip_max: 2 } }));
    await promisify(execFile)(kBinary, ['reload', '--pid', String(server.child.pid)]);
    await server.connect(from('192.0.2.7'));
    await refused(server, 'address_over_quota', from('192.0.2.7'));
    await server.stop();
  });
});

describe('the limit of connections that stay plain HTTP', () => {
  it('closes newcomers, and counts neither WebSockets nor whoever asks for metrics', async () => {
    const server = await startServer({ limits: { http_connections_max: 2 }, metrics: { listen: '127.0.0.1:0' } });
    for (let i = 0; i < 5; ++i) await admitted(server);
    const idle = [];
    for (let i = 0; i < 2; ++i) {
      const socket = await tcpConnect({ port: server.port });
      socket.write('GET /up HTTP/1.1\r\nHost: x\r\n\r\n');
      await new Promise((resolve) => socket.once('data', resolve));
      idle.push(socket);
    }
    const late = await tcpConnect({ port: server.port });
    assert.equal((await readToEnd(late)).toString(), '');
    await server.refusedLog('http_over_capacity');
    assert.equal(await figure(server, 'kilat_refusals_total\\{reason="http_over_capacity"\\}'), 1);
    for (const socket of idle) socket.destroy();
    await eventually(() => get(server.port, '/up').then((answer) => answer.status === 200, () => false), 'room for a request');
    await server.stop();
  });
});

describe('limits of an app', () => {
  it('refuse new connections that come too fast, for clients to come back', async () => {
    const server = await startServer({ apps: [{ connects_per_second: 1 }, { id: 'b', key: 'b-key' }] });
    let last;
    for (let i = 0; i < 200 && last?.frames[0].event !== 'pusher:error'; ++i) {
      last = await server.connect({ established: false });
    }
    assert.equal(last.frames[0].data?.reason, 'app_connects_limited');
    await last.until(() => last.closed, 'the close', { even_closed: true });
    assert.equal(last.closed.code, 4100);
    for (let i = 0; i < 3; ++i) await server.connect({ key: 'b-key' });
    await admitted(server);
    await server.stop();
  });

  for (const [name, frame] of [
    ['pings', () => ({ event: 'pusher:ping', data: {} })],
    ['subscribe and unsubscribe', (i) => ({ event: `pusher:${i % 2 ? 'un' : ''}subscribe`, data: { channel: 'room', auth: '' } })],
  ]) {
    it(`close a connection that floods with ${name}, and no other`, async () => {
      const server = await startServer({ apps: [{ client_messages_per_second: 50, subscriptions_max: 10 }] });
      const honest = await server.connect();
      const raw = await connectRawPusher(server);
      const many = Array.from({ length: 5_000 }, (_, i) => encodeFrame(kOpcode.text, JSON.stringify(frame(i))));
      raw.write(Buffer.concat(many));
      await server.closeLog(raw.socket_id, 'client_messages_limited');
      assertRow('client_messages_limited', { closeCode: 4100, pusherCode: 4100 });
      await honest.ping();
      assert.equal(honest.closed, null);
      raw.destroy();
      await server.stop();
    });
  }

  it('close a connection that sends too many bytes', async () => {
    const server = await startServer({ apps: [{ client_bytes_per_second: 1_000 }], limits: { message_bytes_max: '4KiB' } });
    const raw = await connectRawPusher(server);
    const frame = encodeFrame(kOpcode.text, JSON.stringify({ type: 'heartbeat', text: 'x'.repeat(3_000) }));
    raw.write(Buffer.concat(Array(2_000).fill(frame)));
    await server.closeLog(raw.socket_id, 'client_bytes_limited');
    raw.destroy();
    await server.stop();
  });

  it('leave alone who stays below them', async () => {
    const server = await startServer({ apps: [{ client_bytes_per_second: 100_000 }] });
    const client = await server.connect();
    for (let i = 0; i < 100; ++i) await client.subscribe(`room-${i}`);
    await client.ping();
    assert.equal(client.closed, null);
    await server.stop();
  });
});

describe('unfinished messages and bodies', () => {
  it('count against the memory of the shard: the largest are closed, others are served', async () => {
    const server = await startServer({
      server: { shards: 1 },
      limits: { shard_budget_bytes: '1MiB', message_bytes_max: '512KiB' },
      metrics: { listen: '127.0.0.1:0' },
    });
    const honest = await server.connect();
    const frame = encodeFrame(kOpcode.text, 'x'.repeat(500_000));
    const senders = await Promise.all(Array.from({ length: 6 }, () => connectRawPusher(server)));
    for (const raw of senders) raw.write(frame.subarray(0, 400_000));
    const closed = () => server.logs.filter((line) => line.event === 'connection_closed' && line.reason === 'memory_budget');
    await eventually(() => closed().length >= 4, 'the largest to be closed');
    assert.ok((await figure(server, 'kilat_input_bytes\\{shard="0"\\}')) < 1024 * 1024);
    const bodies = await Promise.all(Array.from({ length: 6 }, () => tcpConnect({ port: server.port })));
    const before = closed().length;
    for (const socket of bodies) {
      socket.on('error', () => {});
      socket.write(`POST /apps/app-id/events HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n${' '.repeat(400_000)}`);
    }
    await eventually(() => closed().length >= before + 4, 'bodies to be cut off');
    await honest.ping();
    for (const socket of [...bodies, ...senders.map((raw) => raw.socket)]) socket.destroy();
    // Whoever asks for the figure has a small request itself.
    const held = () => figure(server, 'kilat_input_bytes\\{shard="0"\\}');
    await eventually(async () => (await held()) < 65_536, 'all of it to be freed');
    await server.stop();
  });
});
