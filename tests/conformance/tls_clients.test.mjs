// TLS with real clients: SDKs, certificates of both kinds, client certificates, resumption, and clients that do it wrong.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { assertRow, kWaitMs } from './harness.mjs';
import { send } from './http_client.mjs';
import {
  Authority, frameOf, httpsRequest, openSecure, openSocket, publishSecure, readToEnd, startTlsServer, subscribe, tcpConnect,
  tlsConnect,
} from './tls_lab.mjs';
import { socketPath } from './ws_client.mjs';

const run = promisify(execFile);

describe('TLS beside a plain port', () => {
  let authority;
  let server;
  before(async () => {
    authority = new Authority();
    server = await startTlsServer(authority, {
      apps: [{}, { id: 'tls-id', key: 'tls-key', secret: 'tls-secret', tls_only: true }],
      http: { handshake_timeout_ms: 1500 },
    });
  });
  after(async () => {
    await server?.stop();
    authority.remove();
  });

  it('serves pusher-js over wss and a publish over https', async () => {
    const child = fileURLToPath(new URL('./tls_sdk_child.mjs', import.meta.url));
    const { stdout } = await run(process.execPath, [child, String(server.tls_port), JSON.stringify(server.app)], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: authority.file('ca.pem') },
      timeout: kWaitMs,
    });
    assert.deepEqual(JSON.parse(stdout), { text: 'hello over TLS' });
  });

  it('delivers between plain and TLS clients, on every shard', async () => {
    const readers = await Promise.all([
      ...Array.from({ length: 8 }, () => openSecure(server, authority)),
      openSocket(`ws://127.0.0.1:${server.port}${socketPath(server)}`),
    ]);
    for (const reader of readers) await subscribe(reader, 'mixed');
    await publishSecure(server, authority, 'mixed', 'hello', '1');
    for (const reader of readers) await frameOf(reader, (f) => f.event === 'hello', 'event');
    for (const reader of readers) reader.terminate();
  });

  it('speaks TLS 1.2 and 1.3 and nothing older', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      const socket = await tlsConnect(server.tls_port, authority, { minVersion: version, maxVersion: version });
      assert.equal(socket.getProtocol(), version);
      socket.destroy();
    }
    await assert.rejects(
      tlsConnect(server.tls_port, authority, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    );
  });

  it('has a certificate for clients of either kind of key', async () => {
    for (const [sigalgs, name] of [['ecdsa_secp256r1_sha256', 'ecdsa'], ['rsa_pss_rsae_sha256', 'rsa']]) {
      // The CA's own signature is ECDSA, which the client has to accept in the chain.
      const socket = await tlsConnect(server.tls_port, authority, { sigalgs, rejectUnauthorized: false });
      assert.equal(socket.getPeerCertificate().subject.CN, name);
      socket.destroy();
    }
  });

  it('chooses http/1.1', async () => {
    const socket = await tlsConnect(server.tls_port, authority, { ALPNProtocols: ['h2', 'http/1.1'] });
    assert.equal(socket.alpnProtocol, 'http/1.1');
    socket.destroy();
    await assert.rejects(tlsConnect(server.tls_port, authority, { ALPNProtocols: ['h2'] }));
  });

  it('resumes sessions whichever shard is met', async () => {
    const first = await tlsConnect(server.tls_port, authority);
    const got = new Promise((resolve) => first.once('session', resolve));
    first.write('GET /up HTTP/1.1\r\nHost: x\r\n\r\n');
    let session = await got;
    first.destroy();
    for (let i = 0; i < 12; ++i) {
      const socket = await tlsConnect(server.tls_port, authority, { session });
      assert.ok(socket.isSessionReused(), `visit ${i}`);
      const next = new Promise((resolve) => socket.once('session', resolve));
      socket.resume();
      session = await next;
      socket.destroy();
    }
  });

  it('keeps apps for TLS only away from plain connections', async () => {
    const app = server.apps[1];
    const row = assertRow('tls_required', { closeCode: 4000 });
    const plain = await openSocket(`ws://127.0.0.1:${server.port}${socketPath(server, { key: app.key })}`);
    assert.equal(await plain.closing, row.close_code);
    const secure = await openSocket(`wss://127.0.0.1:${server.tls_port}${socketPath(server, { key: app.key })}`, {
      ca: authority.ca,
    });
    await frameOf(secure, (f) => f.event === 'pusher:connection_established', 'welcome');
    secure.terminate();
  });

  it('does not believe X-Forwarded-Proto of a stranger', async () => {
    const app = server.apps[1];
    const plain = await openSocket(`ws://127.0.0.1:${server.port}${socketPath(server, { key: app.key })}`, {
      headers: { 'X-Forwarded-Proto': 'https' },
    });
    assert.equal(await plain.closing, 4000);
  });

  it('answers plain HTTP on the TLS port in plain HTTP', async () => {
    const row = assertRow('tls_plain_http', { httpStatus: 400 });
    const answer = await send({ host: '127.0.0.1', port: server.tls_port }, 'GET', '/up');
    assert.equal(answer.status, 400);
    assert.equal(answer.text, `${row.text}\n`);
    await server.waitForLog((line) => line.event === 'connection_closed' && line.reason === 'tls_plain_http');
  });

  it('refuses TLS on the plain port', async () => {
    await assert.rejects(tlsConnect(server.port, authority));
  });

  it('outlives garbage, and says what it was', async () => {
    const since = server.logs.length;
    for (const bytes of ['\x16\x03\x01\x00\x05\xff\xff\xff\xff\xff', '\x80\x2e\x01\x00\x02', '\x00'.repeat(600), 'SSH-2.0-x\r\n']) {
      const socket = await tcpConnect({ port: server.tls_port });
      const all = readToEnd(socket);
      socket.end(Buffer.from(bytes, 'latin1'));
      await all;
    }
    const failed = (line) => line.event === 'connection_closed' && line.reason === 'tls_handshake_failed';
    await server.waitForLog(failed, 'a failed handshake', { since });
    assert.equal((await httpsRequest(server.tls_port, authority, { target: '/up' })).status, 200);
  });

  it('closes a connection whose records are damaged on the way', async () => {
    const since = server.logs.length;
    // A relay that lets the handshake and the request pass and then changes a byte.
    let damage = false;
    const relay = net.createServer((near) => {
      const far = net.connect(server.tls_port, '127.0.0.1');
      for (const end of [near, far]) end.on('error', () => {});
      far.pipe(near);
      near.on('data', (chunk) => {
        if (damage) chunk[chunk.length - 1] ^= 1;
        far.write(chunk);
      });
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    });
    await new Promise((resolve) => relay.listen(0, '127.0.0.1', resolve));
    const socket = await openSocket(`wss://127.0.0.1:${relay.address().port}${socketPath(server)}`, { ca: authority.ca });
    socket.on('error', () => {});
    await frameOf(socket, (f) => f.event === 'pusher:connection_established', 'welcome');
    damage = true;
    socket.send('{"event":"pusher:ping","data":{}}');
    await server.waitForLog(
      (line) => line.event === 'connection_closed' && line.reason === 'tls_record_invalid', 'its close', { since },
    );
    await socket.closing;
    relay.close();
  });

  it('gives a handshake as much time as a first request', async () => {
    const since = server.logs.length;
    const silent = await tcpConnect({ port: server.tls_port });
    const half = await tcpConnect({ port: server.tls_port });
    half.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
    const closed = [readToEnd(silent), readToEnd(half)];
    for (const bytes of await Promise.all(closed)) assert.equal(bytes.length, 0);
    await server.refusedLog('ws_handshake_timeout', since);
  });

  it('ends its side of TLS properly', async () => {
    const socket = await tlsConnect(server.tls_port, authority);
    let ended = false;
    socket.once('end', () => { ended = true; });
    socket.write('GET /up HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const text = (await readToEnd(socket)).toString();
    assert.match(text, /^HTTP\/1\.1 200/);
    assert.ok(ended, 'close_notify came before the end of the connection');
  });
});

describe('TLS with much to say', () => {
  let authority;
  let server;
  before(async () => {
    authority = new Authority();
    server = await startTlsServer(authority, {
      limits: { outbox_bytes_max: '64MiB', outbox_soft_bytes: '64MiB' },
    });
  });
  after(async () => {
    await server?.stop();
    authority.remove();
  });

  it('brings 10,000 messages to a slow reader, in order and whole', async () => {
    const reader = await openSecure(server, authority);
    await subscribe(reader, 'many');
    const padding = 'x'.repeat(300);
    reader._socket.pause();
    let pause;
    const resume = setInterval(() => {
      reader._socket.resume();
      pause = setTimeout(() => reader._socket.pause(), 15);
    }, 30);
    for (let i = 0; i < 10_000; i += 10) {
      const batch = Array.from({ length: 10 }, (_, k) => ({ name: 'n', channel: 'many', data: `${i + k} ${padding}` }));
      const response = await server.request('POST', '/batch_events', { body: { batch } });
      assert.equal(response.status, 200, response.text);
    }
    clearInterval(resume);
    clearTimeout(pause);
    reader._socket.resume();
    const last = await frameOf(reader, (f) => f.event === 'n' && f.data.startsWith('9999 '), 'the last message');
    assert.ok(last);
    const numbers = reader.frames.filter((f) => f.event === 'n').map((f) => Number(f.data.split(' ')[0]));
    assert.equal(numbers.length, 10_000);
    numbers.forEach((number, i) => assert.equal(number, i));
    reader.terminate();
  });

  it('takes a large request, and answers many in one connection', async () => {
    const secure = await tlsConnect(server.tls_port, authority);
    const all = readToEnd(secure);
    const one = 'GET /up HTTP/1.1\r\nHost: x\r\n\r\n';
    secure.write(one.repeat(200) + one.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    const text = (await all).toString();
    assert.equal(text.match(/HTTP\/1\.1 200/g).length, 201);
    await publishSecure(server, authority, 'large', 'n', 'y'.repeat(90_000));
  });
});

describe('Slow readers under TLS', () => {
  it('are closed with the reason, like all others', async () => {
    const authority = new Authority();
    const server = await startTlsServer(authority, { limits: { outbox_bytes_max: '64KiB', outbox_soft_bytes: '32KiB' } });
    const reader = await openSecure(server, authority);
    await subscribe(reader, 'flood');
    reader._socket.pause();
    const done = server.waitForLog((line) => line.event === 'connection_closed' && line.reason === 'slow_consumer', 'the close');
    let closed = false;
    done.then(() => { closed = true; });
    for (let i = 0; i < 2_000 && !closed; ++i) await server.publish('flood', 'n', 'z'.repeat(60_000));
    await done;
    reader.terminate();
    await server.stop();
    authority.remove();
  });
});

describe('Client certificates', () => {
  let authority;
  let stranger;
  let server;
  before(async () => {
    authority = new Authority();
    stranger = new Authority('somebody-else');
    server = await startTlsServer(authority, {
      tls: { client_certificates: 'required', client_ca: authority.file('ca.pem') },
    });
  });
  after(async () => {
    await server?.stop();
    authority.remove();
    stranger.remove();
  });

  const identity = (of, name) => {
    of.issue(name);
    return { cert: of.read(`${name}.pem`), key: of.read(`${name}.key`) };
  };

  it('of the right authority are let in', async () => {
    const socket = await openSecure(server, authority, identity(authority, 'client'));
    await subscribe(socket, 'members-only');
    socket.terminate();
  });

  for (const [what, options] of [['none', () => ({})], ['one of another authority', () => identity(stranger, 'client')]]) {
    it(`${what}: the client is refused and the log says why`, async () => {
      const since = server.logs.length;
      await assert.rejects(openSecure(server, authority, options()));
      await server.waitForLog(
        (line) => line.event === 'connection_closed' && line.reason === 'tls_client_certificate_refused', 'the refusal',
        { since },
      );
    });
  }
});
