// Certificates made by openssl for one test file, servers that use them, and what the tests of TLS and of proxies share.
// Owner: the test file; remove() ends it. Everything stays on loopback.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';

import { WebSocket } from 'ws';

import { kWaitMs, startServer } from './harness.mjs';
import { encodeQuery, signedParams } from './http_client.mjs';
import { socketPath } from './ws_client.mjs';

function openssl(directory, ...args) {
  return execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** A folder with a CA and the certificates it signs. */
export class Authority {
  constructor(name = 'kilat-test-ca') {
    this.directory = mkdtempSync(path.join(tmpdir(), 'kilat-ca-'));
    this.#key('ca', 'ec');
    openssl(this.directory, 'req', '-x509', '-new', '-key', 'ca.key', '-days', '30', '-subj', `/CN=${name}`, '-out', 'ca.pem');
    this.ca = this.read('ca.pem');
  }

  file(name) {
    return path.join(this.directory, name);
  }

  read(name) {
    return readFileSync(this.file(name));
  }

  #key(name, kind) {
    const options = kind === 'rsa' ? ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] : ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    openssl(this.directory, 'genpkey', '-algorithm', ...options, '-out', `${name}.key`);
  }

  /** NAME.pem (with the CA behind it) and NAME.key, for `names`: 127.0.0.1 and localhost. */
  issue(name, { kind = 'ec', days = 30, common_name = name, names = 'IP:127.0.0.1,DNS:localhost' } = {}) {
    this.#key(name, kind);
    openssl(this.directory, 'req', '-new', '-key', `${name}.key`, '-subj', `/CN=${common_name}`, '-out', `${name}.csr`);
    writeFileSync(this.file(`${name}.ext`), `subjectAltName=${names}\n`);
    openssl(
      this.directory, 'x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
      '-days', String(days), '-extfile', `${name}.ext`, '-out', `${name}.crt`,
    );
    writeFileSync(this.file(`${name}.pem`), Buffer.concat([this.read(`${name}.crt`), this.ca]));
    return { certificate: this.file(`${name}.pem`), key: this.file(`${name}.key`) };
  }

  remove() {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The port of the first address of the server that has all these words, in order ('tls', 'proxy_protocol'). */
export function portOf(server, words) {
  const address = server.addresses.find((one) => one.split(' ').slice(1).join(' ') === words && !one.startsWith('unix:'));
  assert.ok(address, `no address with "${words}" among ${server.addresses}`);
  return Number(address.split(' ')[0].split(':').pop());
}

/** A server that listens in plain and under TLS, with an ECDSA and an RSA certificate. */
export async function startTlsServer(authority, options = {}) {
  const ecdsa = authority.issue('ecdsa');
  const rsa = authority.issue('rsa', { kind: 'rsa' });
  const server = await startServer({
    ...options,
    server: { listen: ['127.0.0.1:0', '127.0.0.1:0 tls', ...(options.also ?? [])], ...options.server },
    tls: { certificate: [ecdsa.certificate, rsa.certificate], key: [ecdsa.key, rsa.key], ...options.tls },
  });
  server.tls_port = portOf(server, 'tls');
  return server;
}

/** A WebSocket that keeps its frames. Resolves when it is open; rejects when it can't be. */
export function openSocket(url, options = {}) {
  const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: kWaitMs, ...options });
  socket.frames = [];
  socket.on('message', (data) => socket.frames.push(JSON.parse(data)));
  socket.closing = new Promise((resolve) => socket.on('close', (code) => resolve(code)));
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** A wss client of `server` that trusts `authority`. */
export function openSecure(server, authority, options = {}) {
  return openSocket(`wss://127.0.0.1:${server.tls_port}${socketPath(server)}`, { ca: authority.ca, ...options });
}

/** Resolves with the first frame for which `test` holds. */
export function frameOf(socket, test, what) {
  return new Promise((resolve, reject) => {
    const done = (settle, value) => {
      clearTimeout(timer);
      socket.off('message', check);
      settle(value);
    };
    const timer = setTimeout(() => done(reject, new Error(`no ${what}; ${JSON.stringify(socket.frames.slice(-3))}`)), kWaitMs);
    const check = () => {
      const found = socket.frames.find(test);
      if (found) done(resolve, found);
    };
    socket.on('message', check);
    check();
  });
}

export async function subscribe(socket, channel) {
  await frameOf(socket, (f) => f.event === 'pusher:connection_established', 'welcome');
  socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel } }));
  await frameOf(
    socket,
    (f) => f.event === 'pusher_internal:subscription_succeeded' && f.channel === channel,
    `success of ${channel}`,
  );
}

/** An HTTPS request as it is. Resolves with {status, text, socket}. */
export function httpsRequest(port, authority, { method = 'GET', target = '/', body, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request({ host: '127.0.0.1', port, method, path: target, ca: authority.ca, ...options }, (response) => {
      let text = '';
      response.on('data', (chunk) => { text += chunk; });
      response.on('end', () => resolve({ status: response.statusCode, text, socket: response.socket }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Publishes one event over HTTPS. */
export async function publishSecure(server, authority, channel, name, data, options = {}) {
  const body = JSON.stringify({ name, channel, data });
  const target = `/apps/${server.app.id}/events`;
  const query = encodeQuery(signedParams(server.app, 'POST', target, body));
  const answer = await httpsRequest(server.tls_port, authority, { method: 'POST', target: `${target}?${query}`, body, ...options });
  assert.equal(answer.status, 200, answer.text);
}

/** A TLS connection; resolves when the handshake is over. */
export function tlsConnect(port, authority, options = {}) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port, ca: authority.ca, ...options }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Everything that comes on a socket until its end. */
export function readToEnd(socket) {
  return new Promise((resolve) => {
    const chunks = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

/** A TCP connection; `options` as net.connect takes them. */
export function tcpConnect(options) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', ...options }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** A port that nobody listens on now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
