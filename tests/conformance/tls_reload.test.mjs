// Certificates change while connections live.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { eventually, startServer } from './harness.mjs';
import { get } from './plain_get.mjs';
import { Authority, frameOf, openSecure, portOf, publishSecure, subscribe, tlsConnect } from './tls_lab.mjs';

async function nameOnTheWire(server, authority) {
  const socket = await tlsConnect(server.tls_port, authority, { rejectUnauthorized: false });
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return name;
}

/** Every shard must have it: asks until `visits` connections in a row got `name`. */
async function settled(server, authority, name) {
  await eventually(async () => {
    for (let i = 0; i < 8; ++i) if ((await nameOnTheWire(server, authority)) !== name) return false;
    return true;
  }, `the certificate ${name}`);
}

describe('New certificates', () => {
  it('are used for new connections, old connections go on, and a broken file changes nothing', async () => {
    const authority = new Authority();
    const first = authority.issue('first');
    const second = authority.issue('second');
    const [certificate, key] = [authority.file('live.pem'), authority.file('live.key')];
    const install = (pair) => {
      copyFileSync(pair.certificate, certificate);
      copyFileSync(pair.key, key);
    };
    install(first);
    const server = await startServer({
      server: { listen: ['127.0.0.1:0', '127.0.0.1:0 tls'] },
      tls: { certificate, key },
    });
    server.tls_port = portOf(server, 'tls');
    assert.equal(await nameOnTheWire(server, authority), 'first');
    const old = await openSecure(server, authority);
    await subscribe(old, 'news');

    install(second);
    server.child.kill('SIGHUP');
    await settled(server, authority, 'second');
    await publishSecure(server, authority, 'news', 'one', '1');
    await frameOf(old, (f) => f.event === 'one', 'an event on the old connection');

    writeFileSync(certificate, 'not a certificate\n');
    const since = server.logs.length;
    server.child.kill('SIGHUP');
    await server.waitForLog((line) => JSON.stringify(line).includes(certificate), 'a line that names the file', { since });
    assert.equal(await nameOnTheWire(server, authority), 'second');
    await publishSecure(server, authority, 'news', 'two', '2');
    await frameOf(old, (f) => f.event === 'two', 'an event after the failed reload');

    install(authority.issue('ending', { days: 3 }));
    server.child.kill('SIGHUP');
    const warning = await server.waitForLog((line) => line.event === 'certificate_expires_soon', 'the warning', { since });
    assert.equal(warning.level, 'warn');
    assert.ok(Number(warning.days) <= 3);
    await settled(server, authority, 'ending');
    old.terminate();
    await server.stop();
    authority.remove();
  });

  it('show in the metric: when the first of them ends, before and after a reload', async () => {
    const authority = new Authority();
    const long = authority.issue('long', { days: 29 });
    const short = authority.issue('short', { kind: 'rsa', days: 12 });
    const shorter = authority.issue('shorter', { days: 5 });
    const [certificate, key] = [authority.file('live.pem'), authority.file('live.key')];
    const install = (pair) => {
      copyFileSync(pair.certificate, certificate);
      copyFileSync(pair.key, key);
    };
    const endOf = (pair) => Date.parse(new X509Certificate(readFileSync(pair.certificate)).validTo) / 1000;
    install(long);
    const server = await startServer({
      server: { listen: ['127.0.0.1:0', '127.0.0.1:0 tls'] },
      metrics: { listen: '127.0.0.1:0' },
      tls: { certificate: [certificate, short.certificate], key: [key, short.key] },
    });
    const shown = async () => {
      const { text } = await get(server.metrics_port, '/metrics');
      return Number(/^kilat_certificate_expires_seconds (\d+)$/m.exec(text)[1]);
    };
    assert.equal(await shown(), endOf(short), 'the first of several');
    install(shorter);
    server.child.kill('SIGHUP');
    await eventually(async () => (await shown()) === endOf(shorter), 'the end of the new certificate');
    await server.stop();
    authority.remove();

    const plain = await startServer({ metrics: { listen: '127.0.0.1:0' } });
    const { text } = await get(plain.metrics_port, '/metrics');
    assert.doesNotMatch(text, /kilat_certificate_expires_seconds/, 'no certificate, no figure');
    await plain.stop();
  });
});
