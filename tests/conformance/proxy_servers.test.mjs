// nginx and HAProxy as Debian packages them, in front of the server on loopback, with the configuration of docs/proxies.md.
// Clients connect from 127.0.0.5, so that what the proxies say differs from where they are themselves.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { endWithFile } from './children.mjs';
import { eventually, startServer } from './harness.mjs';
import { Authority, frameOf, freePort, openSocket, portOf, subscribe, tcpConnect } from './tls_lab.mjs';
import { socketPath } from './ws_client.mjs';

const kClient = '127.0.0.5';

function program(name) {
  const found = ['/usr/sbin', '/usr/bin', '/sbin'].map((folder) => path.join(folder, name)).find(existsSync);
  assert.ok(found, `${name} is not installed: see KILAT_TEST_PACKAGES in scripts/packages.sh`);
  return found;
}

/** A proxy process in a folder of its own. */
class Proxy {
  constructor() {
    this.directory = mkdtempSync(path.join(tmpdir(), 'kilat-proxy-'));
    this.output = '';
  }

  file(name, text) {
    const file = path.join(this.directory, name);
    if (text !== undefined) writeFileSync(file, text);
    return file;
  }

  async run(command, args, ports) {
    this.child = endWithFile(spawn(command, args, { cwd: this.directory, stdio: ['ignore', 'pipe', 'pipe'] }));
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (chunk) => { this.output += chunk; });
    this.exited = new Promise((resolve) => this.child.once('exit', resolve));
    for (const port of ports) {
      await eventually(async () => {
        assert.equal(this.child.exitCode, null, this.output);
        return tcpConnect({ port }).then((socket) => socket.destroy() || true, () => false);
      }, `the proxy on port ${port}`);
    }
  }

  async stop() {
    if (this.child) {
      this.child.kill('SIGTERM');
      await this.exited;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A WebSocket through `url`: gets an event, then closes; resolves with the client that the server's log names. */
async function clientThrough(server, url, options = {}) {
  const socket = await openSocket(url, { localAddress: kClient, ...options });
  await subscribe(socket, 'through');
  await server.publish('through', 'hello', 'x'.repeat(50_000));
  await frameOf(socket, (f) => f.event === 'hello', 'event');
  const { socket_id } = JSON.parse(socket.frames[0].data);
  socket.terminate();
  return (await server.waitForLog((l) => l.event === 'connection_closed' && l.socket_id === socket_id, 'the close')).client;
}

describe('nginx in front', () => {
  const nginx = new Proxy();
  const authority = new Authority();
  let server;
  let plain;
  let secure;
  let local;
  before(async () => {
    const file = nginx.file('kilat.sock');
    server = await startServer({
      apps: [{}, { id: 'tls-id', key: 'tls-key', secret: 'tls-secret', tls_only: true }],
      server: { listen: ['127.0.0.1:0', `unix:${file}`], trusted_proxies: ['127.0.0.1', 'unix'] },
    });
    [plain, secure, local] = [await freePort(), await freePort(), await freePort()];
    const pair = authority.issue('nginx');
    const forward = `
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;`;
    const config = nginx.file('nginx.conf', `
daemon off;
user root;
worker_processes 1;
pid ${nginx.directory}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path ${nginx.directory}/body;
  proxy_temp_path ${nginx.directory}/proxy;
  fastcgi_temp_path ${nginx.directory}/fastcgi;
  uwsgi_temp_path ${nginx.directory}/uwsgi;
  scgi_temp_path ${nginx.directory}/scgi;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream kilat { server 127.0.0.1:${server.port}; keepalive 16; }
  upstream kilat_unix { server unix:${file}; keepalive 16; }
  server { listen 127.0.0.1:${plain}; location / { proxy_pass http://kilat; ${forward} } }
  server {
    listen 127.0.0.1:${secure} ssl;
    ssl_certificate ${pair.certificate};
    ssl_certificate_key ${pair.key};
    location / { proxy_pass http://kilat; ${forward} }
  }
  server { listen 127.0.0.1:${local}; location / { proxy_pass http://kilat_unix; ${forward} } }
}
`);
    await nginx.run(program('nginx'), ['-p', nginx.directory, '-c', config], [plain, secure, local]);
  });
  after(async () => {
    await nginx.stop();
    await server?.stop();
    authority.remove();
  });

  it('passes WebSockets on and names their client', async () => {
    assert.equal(await clientThrough(server, `ws://127.0.0.1:${plain}${socketPath(server)}`), kClient);
  });

  it('does so over a Unix socket', async () => {
    assert.equal(await clientThrough(server, `ws://127.0.0.1:${local}${socketPath(server)}`), kClient);
  });

  it('can not be lied to by the client', async () => {
    const headers = { 'X-Forwarded-For': '6.6.6.6', 'X-Forwarded-Proto': 'https' };
    assert.equal(await clientThrough(server, `ws://127.0.0.1:${plain}${socketPath(server)}`, { headers }), kClient);
    const refused = await openSocket(`ws://127.0.0.1:${plain}${socketPath(server, { key: 'tls-key' })}`, { headers });
    assert.equal(await refused.closing, 4000, 'an app for TLS only');
  });

  it('speaks TLS for the server', async () => {
    const url = `wss://127.0.0.1:${secure}${socketPath(server, { key: 'tls-key' })}`;
    const socket = await openSocket(url, { ca: authority.ca });
    await frameOf(socket, (f) => f.event === 'pusher:connection_established', 'welcome');
    socket.terminate();
  });

  it('keeps connections to the server open between requests', async () => {
    for (let i = 0; i < 20; ++i) {
      const status = await new Promise((resolve, reject) => {
        http.get({ host: '127.0.0.1', port: plain, path: '/up', agent: false }, (r) => r.resume().on('end', () => resolve(r.statusCode)))
          .on('error', reject);
      });
      assert.equal(status, 200);
    }
  });
});

describe('HAProxy in front', () => {
  const haproxy = new Proxy();
  const authority = new Authority();
  let server;
  const ports = {};
  before(async () => {
    const file = haproxy.file('kilat.sock');
    server = await startServer({
      apps: [{}, { id: 'tls-id', key: 'tls-key', secret: 'tls-secret', tls_only: true }],
      server: {
        listen: ['127.0.0.1:0', '127.0.0.1:0 proxy_protocol', '127.0.0.1:0 tls proxy_protocol', `unix:${file} proxy_protocol`],
        trusted_proxies: ['127.0.0.1', 'unix'],
      },
      tls: authority.issue('server'),
    });
    for (const name of ['v1', 'v2', 'tls', 'local', 'ssl']) ports[name] = await freePort();
    const pair = authority.issue('haproxy');
    const pem = haproxy.file('haproxy.pem', Buffer.concat([authority.read('haproxy.pem'), authority.read('haproxy.key')]));
    assert.ok(pair && existsSync(pem));
    const upstream = `127.0.0.1:${portOf(server, 'proxy_protocol')}`;
    const config = haproxy.file('haproxy.cfg', `
global
  maxconn 1000
defaults
  mode tcp
  timeout connect 10s
  timeout client 60s
  timeout server 60s
listen v1
  bind 127.0.0.1:${ports.v1}
  server kilat ${upstream} send-proxy
listen v2
  bind 127.0.0.1:${ports.v2}
  server kilat ${upstream} send-proxy-v2 check inter 200ms
listen tls
  bind 127.0.0.1:${ports.tls}
  server kilat 127.0.0.1:${portOf(server, 'tls proxy_protocol')} send-proxy-v2
listen local
  bind 127.0.0.1:${ports.local}
  server kilat unix@${file} send-proxy-v2
listen ssl
  bind 127.0.0.1:${ports.ssl} ssl crt ${pem}
  server kilat ${upstream} send-proxy-v2-ssl
`);
    await haproxy.run(program('haproxy'), ['-db', '-f', config], Object.values(ports));
  });
  after(async () => {
    await haproxy.stop();
    await server?.stop();
    authority.remove();
  });

  for (const [name, what] of [['v1', 'version 1'], ['v2', 'version 2, with health checks'], ['local', 'version 2 over a Unix socket']]) {
    it(`names the client by the PROXY protocol ${what}`, async () => {
      assert.equal(await clientThrough(server, `ws://127.0.0.1:${ports[name]}${socketPath(server)}`), kClient);
    });
  }

  it('names the client before the TLS that it passes through', async () => {
    const url = `wss://127.0.0.1:${ports.tls}${socketPath(server)}`;
    assert.equal(await clientThrough(server, url, { ca: authority.ca }), kClient);
  });

  it('says that its client speaks TLS', async () => {
    const path_and_query = socketPath(server, { key: 'tls-key' });
    const secure = await openSocket(`wss://127.0.0.1:${ports.ssl}${path_and_query}`, { ca: authority.ca });
    await frameOf(secure, (f) => f.event === 'pusher:connection_established', 'welcome');
    secure.terminate();
    const plain = await openSocket(`ws://127.0.0.1:${ports.v2}${path_and_query}`);
    assert.equal(await plain.closing, 4000);
  });
});
