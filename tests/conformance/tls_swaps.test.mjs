// Certificates that change once a second while messages flow and clients come: nothing is lost, no handshake fails, and
// who comes after a reload gets the newest certificate. KILAT_LONG=1: for a minute; else five times.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import https from 'node:https';
import { describe, it } from 'node:test';

import { eventually, startServer } from './harness.mjs';
import { Authority, openSecure, portOf, publishSecure, subscribe, tlsConnect } from './tls_lab.mjs';

const kSwaps = process.env.KILAT_LONG === '1' ? 60 : 5;
const kReaders = 20;
const kPublishEveryMs = 10;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const numbersOf = (socket) => socket.frames.filter((frame) => frame.event === 'n').map((frame) => Number(frame.data));

describe('Certificates swapped under load', () => {
  it(`${kSwaps} times: no connection ends, no message is lost, and each newcomer gets the newest`, async () => {
    const authority = new Authority();
    const [certificate, key] = [authority.file('live.pem'), authority.file('live.key')];
    const install = (name) => {
      const pair = authority.issue(name);
      copyFileSync(pair.certificate, certificate);
      copyFileSync(pair.key, key);
    };
    install('swap-0');
    const server = await startServer({
      server: { listen: ['127.0.0.1:0', '127.0.0.1:0 tls'] },
      tls: { certificate, key },
    });
    server.tls_port = portOf(server, 'tls');

    // The numbers of the swaps that are in force: asked for, and put into effect for sure.
    let asked = 0;
    let done = 0;
    let over = false;
    /** One TLS handshake without a session; resolves with the number of the certificate it got. */
    const handshake = async () => {
      const socket = await tlsConnect(server.tls_port, authority);
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      return Number(CN.split('-')[1]);
    };

    const readers = await Promise.all(Array.from({ length: kReaders }, () => openSecure(server, authority)));
    for (const reader of readers) await subscribe(reader, 'swaps');
    const closed = [];
    for (const reader of readers) reader.closing.then((code) => closed.push(code));

    let published = 0;
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const publishing = (async () => {
      while (!over) {
        await publishSecure(server, authority, 'swaps', 'n', String(published), { agent });
        ++published;
        await sleep(kPublishEveryMs);
      }
    })();
    let arrivals = 0;
    const arriving = (async () => {
      while (!over) {
        const from = done;
        const got = await handshake();
        assert.ok(got >= from && got <= asked, `swap ${from} was done and ${asked} asked for, the certificate was ${got}`);
        ++arrivals;
        await sleep(20);
      }
    })();
    const background = Promise.all([publishing, arriving]);
    background.catch(() => {});

    const late = [];
    for (let swap = 1; swap <= kSwaps; ++swap) {
      const begin = Date.now();
      const since = server.logs.length;
      install(`swap-${swap}`);
      asked = swap;
      server.child.kill('SIGHUP');
      await server.waitForLog((line) => line.event === 'certificates_loaded', `swap ${swap}`, { since });
      // A shard takes the new certificate in its next turn; what it tells for a dump, it tells after that.
      server.child.kill('SIGUSR1');
      await server.waitForLog((line) => line.event === 'state', `the state after swap ${swap}`, { since });
      done = swap;
      for (let i = 0; i < 8; ++i) assert.equal(await handshake(), swap, 'the certificate, on whichever shard');
      const newcomer = await openSecure(server, authority);
      assert.equal(newcomer._socket.getPeerCertificate().subject.CN, `swap-${swap}`);
      await subscribe(newcomer, 'swaps');
      late.push(newcomer);
      await sleep(Math.max(0, begin + 1000 - Date.now()));
    }
    over = true;
    await background;
    agent.destroy();

    const all = [...readers, ...late];
    await eventually(
      () => all.every((socket) => numbersOf(socket).at(-1) === published - 1),
      'the last event at every reader',
    );
    const expected = Array.from({ length: published }, (unused, i) => i);
    for (const reader of readers) assert.deepEqual(numbersOf(reader), expected);
    for (const newcomer of late) {
      const numbers = numbersOf(newcomer);
      assert.deepEqual(numbers, expected.slice(numbers[0]), 'from its subscription on nothing is missing');
    }
    assert.deepEqual(closed, [], 'closes of readers');
    assert.ok(arrivals > kSwaps, `${arrivals} handshakes`);
    console.log(`${kSwaps} swaps, ${published} events to ${kReaders} readers, ${arrivals} handshakes beside`);
    for (const socket of all) socket.terminate();
    await server.stop();
    authority.remove();
  });
});
