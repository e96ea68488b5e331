// Whom a proxy connects for: forwarding headers, the PROXY protocol, Unix sockets; and what strangers can't make of them.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import http from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { startServer } from './harness.mjs';
import { Authority, frameOf, openSocket, portOf, readToEnd, subscribe, tcpConnect } from './tls_lab.mjs';
import { socketPath } from './ws_client.mjs';

/** One request with these headers; resolves with the client that the server's log names. */
async function clientSeen(server, headers, options = {}) {
  const since = server.logs.length;
  await new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port: server.port, path: '/up', agent: false, headers, ...options }, (r) => {
      r.resume().on('end', resolve);
    });
    request.on('error', reject);
    request.end();
  });
  const line = await server.waitForLog((one) => one.event === 'connection_closed', 'the close', { since });
  return line.client;
}

describe('Forwarding headers', () => {
  it('of a trusted proxy name the client', async () => {
    const server = await startServer({ server: { trusted_proxies: ['127.0.0.1', '10.0.0.0/8'] } });
    assert.equal(await clientSeen(server, {}), '127.0.0.1');
    assert.equal(await clientSeen(server, { 'X-Forwarded-For': '192.0.2.7' }), '192.0.2.7');
    assert.equal(await clientSeen(server, { 'X-Forwarded-For': '6.6.6.6, 192.0.2.7, 10.1.2.3' }), '192.0.2.7');
    assert.equal(await clientSeen(server, { 'X-Forwarded-For': '2001:db8::9' }), '2001:db8::9');
    assert.equal(await clientSeen(server, { 'X-Forwarded-For': 'nonsense' }), '127.0.0.1');
    assert.equal(await clientSeen(server, { Forwarded: 'for=192.0.2.7' }), '127.0.0.1', 'the header that is not believed');
    await server.stop();
  });

  it('of a stranger are ignored', async () => {
    const server = await startServer({ server: { trusted_proxies: ['10.0.0.0/8'] } });
    assert.equal(await clientSeen(server, { 'X-Forwarded-For': '192.0.2.7' }), '127.0.0.1');
    assert.equal(await clientSeen(server, { 'X-Forwarded-For': '192.0.2.7' }, { localAddress: '127.0.0.9' }), '127.0.0.9');
    await server.stop();
  });

  it('may be those of RFC 7239', async () => {
    const server = await startServer({ server: { trusted_proxies: '127.0.0.1', forwarded_header: 'forwarded' } });
    assert.equal(await clientSeen(server, { Forwarded: 'for=6.6.6.6, For="[2001:db8::7]:99";proto=https' }), '2001:db8::7');
    assert.equal(await clientSeen(server, { 'X-Forwarded-For': '192.0.2.7' }), '127.0.0.1');
    await server.stop();
  });

  it('tell whether the client came by TLS', async () => {
    const server = await startServer({ apps: [{ tls_only: true }], server: { trusted_proxies: ['127.0.0.1'] } });
    const url = `ws://127.0.0.1:${server.port}${socketPath(server)}`;
    const secure = await openSocket(url, { headers: { 'X-Forwarded-For': '192.0.2.7', 'X-Forwarded-Proto': 'https' } });
    await frameOf(secure, (f) => f.event === 'pusher:connection_established', 'welcome');
    secure.terminate();
    for (const headers of [{}, { 'X-Forwarded-For': '192.0.2.7', 'X-Forwarded-Proto': 'http' }]) {
      const plain = await openSocket(url, { headers });
      assert.equal(await plain.closing, 4000);
    }
    await server.stop();
  });

  it('name the client of each request on one connection', async () => {
    const server = await startServer({ server: { trusted_proxies: ['127.0.0.1'] } });
    const since = server.logs.length;
    const socket = await tcpConnect({ port: server.port });
    const all = readToEnd(socket);
    socket.write('GET /up HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n');
    socket.write('GET /up HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await all;
    const line = await server.waitForLog((one) => one.event === 'connection_closed', 'the close', { since });
    assert.equal(line.client, '127.0.0.1', 'the last request named nobody');
    await server.stop();
  });
});

describe('The PROXY protocol', () => {
  let server;
  let port;
  before(async () => {
    server = await startServer({
      server: { listen: ['127.0.0.1:0', '127.0.0.1:0 proxy_protocol'], trusted_proxies: ['127.0.0.1'] },
    });
    port = portOf(server, 'proxy_protocol');
  });
  after(() => server?.stop());

  const kRequest = 'GET /up HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  const v2 = (family, ...bytes) => Buffer.from([
    13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x21, family, bytes.length >> 8, bytes.length & 255, ...bytes,
  ]);

  async function exchange(pieces, options = {}) {
    const since = server.logs.length;
    const socket = await tcpConnect({ port, ...options });
    socket.setNoDelay(true);
    const all = readToEnd(socket);
    for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
    const text = (await all).toString();
    const line = await server.waitForLog(
      (one) => one.event === 'connection_closed' || one.event === 'refused', 'the end', { since },
    );
    return { text, line };
  }

  it('in text names the client', async () => {
    const { text, line } = await exchange([`PROXY TCP4 192.0.2.9 127.0.0.1 4000 80\r\n${kRequest}`]);
    assert.match(text, /^HTTP\/1\.1 200/);
    assert.equal(line.client, '192.0.2.9');
  });

  it('in text, byte by byte, names the client', async () => {
    const { text, line } = await exchange([...`PROXY TCP6 2001:db8::5 ::1 4000 80\r\n${kRequest}`]);
    assert.match(text, /^HTTP\/1\.1 200/);
    assert.equal(line.client, '2001:db8::5');
  });

  it('in bytes names the client', async () => {
    const { text, line } = await exchange([v2(0x11, 192, 0, 2, 10, 127, 0, 0, 1, 1, 2, 0, 80), kRequest]);
    assert.match(text, /^HTTP\/1\.1 200/);
    assert.equal(line.client, '192.0.2.10');
  });

  it('is required', async () => {
    const { text, line } = await exchange([kRequest]);
    assert.equal(text, '');
    assert.equal(line.reason, 'proxy_header_invalid');
  });

  it('does not make a trusted proxy of its client', async () => {
    const request = kRequest.replace('Host: x', 'Host: x\r\nX-Forwarded-For: 6.6.6.6');
    const { line } = await exchange([`PROXY TCP4 192.0.2.9 127.0.0.1 4000 80\r\n${request}`]);
    assert.equal(line.client, '192.0.2.9');
  });

  it('is taken from trusted proxies only', async () => {
    const { text, line } = await exchange([`PROXY TCP4 192.0.2.9 127.0.0.1 4000 80\r\n${kRequest}`], {
      localAddress: '127.0.0.9',
    });
    assert.equal(text, '');
    assert.equal(line.reason, 'proxy_untrusted');
  });

  it('is not understood where it was not asked for', async () => {
    const socket = await tcpConnect({ port: server.port });
    const all = readToEnd(socket);
    socket.write(`PROXY TCP4 192.0.2.9 127.0.0.1 4000 80\r\n${kRequest}`);
    assert.match((await all).toString(), /^HTTP\/1\.1 400/);
  });

  it('stands before TLS', async () => {
    const tls = (await import('node:tls')).default;
    const authority = new Authority();
    const pair = authority.issue('server');
    const both = await startServer({
      apps: [{ tls_only: true }],
      server: { listen: ['127.0.0.1:0 tls proxy_protocol'], trusted_proxies: ['127.0.0.1'] },
      tls: pair,
    });
    const since = both.logs.length;
    const raw = await tcpConnect({ port: both.port });
    raw.write('PROXY TCP4 192.0.2.11 127.0.0.1 4000 80\r\n');
    const socket = tls.connect({ socket: raw, ca: authority.ca, host: '127.0.0.1' });
    socket.write(kRequest);
    assert.match((await readToEnd(socket)).toString(), /^HTTP\/1\.1 200/);
    const line = await both.waitForLog((one) => one.event === 'connection_closed', 'the close', { since });
    assert.equal(line.client, '192.0.2.11');
    await both.stop();
    authority.remove();
  });
});

describe('A Unix socket', () => {
  it('has the mode asked for, serves all shards, and is gone with the server', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'kilat-unix-'));
    const file = path.join(directory, 'kilat.sock');
    const options = { server: { listen: ['127.0.0.1:0', `unix:${file} mode=0600`], trusted_proxies: ['unix'] } };
    const server = await startServer(options);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(await clientSeen(server, { 'X-Forwarded-For': '192.0.2.7' }, { socketPath: file }), '192.0.2.7');
    assert.equal(await clientSeen(server, {}, { socketPath: file }), '');
    const readers = await Promise.all(Array.from({ length: 20 }, () => openSocket(`ws+unix://${file}:${socketPath(server)}`)));
    for (const reader of readers) await subscribe(reader, 'local');
    await server.publish('local', 'hello', '1');
    for (const reader of readers) await frameOf(reader, (f) => f.event === 'hello', 'event');

    await assert.rejects(startServer(options), /already in use/);
    assert.ok(statSync(file), 'the second server left the socket alone');
    for (const reader of readers) reader.terminate();
    await server.stop();
    assert.throws(() => statSync(file));
    rmSync(directory, { recursive: true });
  });

  it('that a killed server left is replaced', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'kilat-unix-'));
    const file = path.join(directory, 'kilat.sock');
    const options = { server: { listen: ['127.0.0.1:0', `unix:${file}`] } };
    await (await startServer(options)).kill9();
    assert.ok(statSync(file).isSocket());
    const server = await startServer(options);
    assert.equal(await clientSeen(server, {}, { socketPath: file }), '');
    await server.stop();
    rmSync(directory, { recursive: true });
  });
});
