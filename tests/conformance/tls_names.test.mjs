// Several certificates behind one port: each client gets the one for the name it asks for.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { startServer } from './harness.mjs';
import { Authority, openSecure, portOf, subscribe, tlsConnect } from './tls_lab.mjs';

describe('Certificates by server name', () => {
  let authority;
  let server;
  let live;
  before(async () => {
    authority = new Authority();
    const pairs = [
      authority.issue('main-ec'),
      authority.issue('main-rsa', { kind: 'rsa' }),
      authority.issue('shop-ec', { names: 'DNS:shop.example,DNS:*.shop.example' }),
      authority.issue('shop-rsa', { kind: 'rsa', names: 'DNS:shop.example' }),
      authority.issue('news', { kind: 'rsa', names: 'DNS:news.example' }),
    ];
    live = pairs.at(-1);
    server = await startServer({
      server: { listen: ['127.0.0.1:0', '127.0.0.1:0 tls'] },
      tls: { certificate: pairs.map((pair) => pair.certificate), key: pairs.map((pair) => pair.key) },
    });
    server.tls_port = portOf(server, 'tls');
  });
  after(async () => {
    await server?.stop();
    authority.remove();
  });

  const nameFor = async (servername, options = {}) => {
    // The client checks that the certificate is for the name, unless it asks for one that nobody has.
    const socket = await tlsConnect(server.tls_port, authority, { servername, ...options });
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };
  const kRsaOnly = { sigalgs: 'RSA-PSS+SHA256' };

  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    it(`the name decides, then what keys the client knows (${version})`, async () => {
      const options = { minVersion: version, maxVersion: version };
      // In TLS 1.2 the order of the client's ciphers says which kind of key it would rather have.
      if (version === 'TLSv1.2') options.ciphers = 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256';
      assert.equal(await nameFor('', options), 'main-ec');
      assert.equal(await nameFor('localhost', options), 'main-ec');
      assert.equal(await nameFor('localhost', { ...options, ...kRsaOnly }), 'main-rsa');
      assert.equal(await nameFor('shop.example', options), 'shop-ec');
      assert.equal(await nameFor('SHOP.example', options), 'shop-ec');
      assert.equal(await nameFor('eu.shop.example', options), 'shop-ec');
      assert.equal(await nameFor('shop.example', { ...options, ...kRsaOnly }), 'shop-rsa');
      assert.equal(await nameFor('news.example', options), 'news');
      assert.equal(await nameFor('unknown.example', { ...options, rejectUnauthorized: false }), 'main-ec');
    });
  }

  it('what is spoken is the same for every name', async () => {
    const socket = await openSecure(server, authority, { servername: 'shop.example' });
    await subscribe(socket, 'names');
    socket.terminate();
    await assert.rejects(nameFor('shop.example', { ALPNProtocols: ['h2'] }));
    await assert.rejects(nameFor('shop.example', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
  });

  it('a reload brings the new one of a name, and the others stay', async () => {
    const next = authority.issue('news-next', { names: 'DNS:news.example' });
    copyFileSync(next.certificate, live.certificate);
    copyFileSync(next.key, live.key);
    const since = server.logs.length;
    server.child.kill('SIGHUP');
    await server.waitForLog((line) => line.event === 'certificates_loaded', 'the reload', { since });
    // A dump asks every shard, so all have taken the certificates before.
    server.child.kill('SIGUSR1');
    await server.waitForLog((line) => line.event === 'state', 'the state', { since });
    assert.equal(await nameFor('news.example'), 'news-next');
    assert.equal(await nameFor('shop.example'), 'shop-ec');
    assert.equal(await nameFor(''), 'main-ec');
  });

  it('client certificates are asked for and checked whatever the name', async () => {
    const main = authority.issue('asking-main');
    const shop = authority.issue('asking-shop', { names: 'DNS:shop.example' });
    const asking = await startServer({
      server: { listen: ['127.0.0.1:0', '127.0.0.1:0 tls'] },
      tls: {
        certificate: [main.certificate, shop.certificate],
        key: [main.key, shop.key],
        client_certificates: 'required',
        client_ca: authority.file('ca.pem'),
      },
    });
    asking.tls_port = portOf(asking, 'tls');
    const stranger = new Authority('somebody-else');
    const identity = (of) => {
      of.issue('client');
      return { cert: of.read('client.pem'), key: of.read('client.key') };
    };
    for (const servername of ['localhost', 'shop.example']) {
      const known = await openSecure(asking, authority, { servername, ...identity(authority) });
      await subscribe(known, 'members');
      known.terminate();
      for (const options of [{}, identity(stranger)]) {
        const since = asking.logs.length;
        await assert.rejects(openSecure(asking, authority, { servername, ...options }));
        const refused = (line) => line.event === 'connection_closed' && line.reason === 'tls_client_certificate_refused';
        await asking.waitForLog(refused, `the refusal at ${servername}`, { since });
      }
    }
    await asking.stop();
    stranger.remove();
  });
});
