// `kilat bench` against a real server: what it counts must be what happened.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';

import { endWithFile } from './children.mjs';
import { assertRow, eventually, kApp, kBinary, reasonRow, startServer } from './harness.mjs';
import { Authority, startTlsServer } from './tls_lab.mjs';

/** Runs `kilat bench` to its end. `onStart` gets the child and what it has written to stderr so far, as a function. */
async function bench(server, options, onStart) {
  const given = { url: `ws://127.0.0.1:${server.port}`, 'app-id': kApp.id, key: kApp.key, secret: kApp.secret };
  const flags = Object.entries({ ...given, drain: 60, ...options }).flatMap(([name, value]) =>
    value === false ? [] : value === true ? [`--${name}`] : [`--${name}`, String(value)],
  );
  const child = endWithFile(spawn(kBinary, ['bench', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] }));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes) => (stdout += bytes));
  child.stderr.on('data', (bytes) => (stderr += bytes));
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  try {
    await onStart?.(child, () => stderr);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const how = await ended;
  assert.equal(how.signal, null, stderr);
  return { code: how.code, stdout, stderr, report: options.json ? JSON.parse(stdout) : null };
}

const measuring = (child, stderr) => eventually(() => /measuring/.test(stderr()), 'a progress line');

describe('bench', () => {
  let server;
  before(async () => {
    server = await startServer({
      apps: [
        { client_events_per_second: 0, client_messages_per_second: 0 },
        { id: 'slow', key: 'slow-key', client_events_per_second: 1 },
        { id: 'strict', key: 'strict-key', client_events_per_second: 0, client_messages_per_second: 20, subscriptions_max: 10 },
        { id: 'small', key: 'small-key', client_events_per_second: 0, client_messages_per_second: 0, max_connections: 4 },
      ],
    });
  });
  after(() => server?.stop());

  const quick = { json: true, rate: 20, duration: 1, warmup: 0 };

  it('client events: every publish reaches everybody else on its channel, once', async () => {
    const { code, report } = await bench(server, { ...quick, connections: 6, channels: 2, publishers: 2 });
    assert.equal(code, 0, JSON.stringify(report));
    assert.equal(report.ok, true);
    assert.equal(report.connections.established, 6);
    assert.equal(report.connections.latency_ms.count, 6);
    assert.equal(report.publishes.sent, 20);
    const { expected, received, lost, duplicates, reordered, unexpected } = report.deliveries;
    assert.deepEqual({ expected, received }, { expected: 40, received: 40 });
    assert.deepEqual({ lost, duplicates, reordered, unexpected }, { lost: 0, duplicates: 0, reordered: 0, unexpected: 0 });
    assert.equal(report.latency_ms.count, 40);
    assert.deepEqual(report.reasons, []);
  });

  it('http: every publish reaches all readers of its channel, and is answered', async () => {
    const options = { ...quick, via: 'http', connections: 6, channels: 3, 'http-connections': 2, payload: 5000 };
    const { code, report } = await bench(server, options);
    assert.equal(code, 0, JSON.stringify(report));
    assert.equal(report.publishes.sent, 20);
    assert.equal(report.publishes.answer_ms.count, 20);
    assert.equal(report.deliveries.expected, 40);
    assert.equal(report.deliveries.received, 40);
    assert.equal(report.latency_ms.count, 40);
  });

  for (const via of ['client-events', 'http']) {
    it(`${via}: flat out, nothing is lost`, async () => {
      const options = { json: true, via, rate: 'max', window: 8, connections: 8, channels: 2, duration: 0.5, warmup: 0 };
      const { code, report } = await bench(server, options);
      assert.equal(code, 0, JSON.stringify(report));
      assert.equal(report.rate, null);
      assert.ok(report.publishes.sent > 8, 'the window opens again');
      assert.equal(report.deliveries.received, report.publishes.sent * (via === 'http' ? 4 : 3));
    });
  }

  it('without --json it prints lines for people', async () => {
    const { code, stdout } = await bench(server, { connections: 2, rate: 10, duration: 0.5, warmup: 0 });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^ {2}deliveries +\S+\/s, 5 of 5$/m);
    assert.match(stdout, /^ {2}latency +p50 .* p90 .* p99 .* p99\.9 .* max .* ms$/m);
    assert.match(stdout, /^ {2}lost 0 {3}duplicates 0 {3}reordered 0/m);
  });

  it('a wrong key gives the reason of the server', async () => {
    assertRow('app_unknown', { pusherCode: 4001 });
    const { code, report, stderr } = await bench(server, { ...quick, connections: 3, key: 'nope' });
    assert.equal(code, 1);
    assert.equal(report.ok, false);
    assert.equal(report.connections.failed, 3);
    const text = reasonRow('app_unknown').text;
    assert.deepEqual(report.reasons, [{ stage: 'connect', code: 4001, text, count: 3 }]);
    assert.equal(report.error, `4001: ${text}`);
    assert.ok(stderr.startsWith(`error: the benchmark failed: 4001: ${text}\n`), stderr);
  });

  it('a wrong secret is told from the subscription, or from the API', async () => {
    for (const [via, stage] of [['client-events', 'connect'], ['http', 'publish']]) {
      const { code, report } = await bench(server, { ...quick, via, connections: 2, secret: 'nope' });
      assert.equal(code, 1);
      assert.notEqual(report.error, null);
      assert.equal(report.reasons[0].stage, stage);
      assert.equal(report.reasons[0].code, 401);
    }
  });

  it('refused client events are losses with a reason', async () => {
    const row = assertRow('client_event_rate_limited', { pusherCode: 4301 });
    const options = { ...quick, 'app-id': 'slow', key: 'slow-key', connections: 2, publishers: 1, drain: 1 };
    const { code, report } = await bench(server, options);
    assert.equal(code, 1);
    assert.equal(report.publishes.sent, 20);
    const refused = report.reasons.find((reason) => reason.stage === 'run' && reason.code === row.pusher_code);
    assert.ok(refused, JSON.stringify(report.reasons));
    assert.equal(report.deliveries.received + report.deliveries.lost, 20);
    assert.equal(report.deliveries.lost, refused.count);
  });

  it('refused connections have their reason, and the others go on', async () => {
    const row = reasonRow('app_over_quota');
    const options = { ...quick, 'app-id': 'small', key: 'small-key', connections: 6, publishers: 1 };
    const { code, report } = await bench(server, options);
    assert.equal(code, 1);
    assert.equal(report.connections.established, 4);
    assert.equal(report.connections.failed, 2);
    assert.deepEqual(report.reasons, [{ stage: 'connect', code: row.pusher_code, text: row.text, count: 2 }]);
    assert.equal(report.deliveries.lost, 0);
  });

  it('Ctrl-C ends it early with the result', async () => {
    const options = { json: true, connections: 4, rate: 20, duration: 600, warmup: 0 };
    const { code, report } = await bench(server, options, async (child, stderr) => {
      await measuring(child, stderr);
      child.kill('SIGINT');
    });
    assert.equal(code, 0, JSON.stringify(report));
    assert.equal(report.interrupted, true);
    assert.ok(report.deliveries.received > 0);
    assert.equal(report.deliveries.received, report.publishes.sent * 3);
    assert.ok(report.duration_s < 600);
  });

  it('a server that dies is told, with exit code 1', async () => {
    const doomed = await startServer({ apps: [{ client_events_per_second: 0, client_messages_per_second: 0 }] });
    const options = { json: true, connections: 4, rate: 20, duration: 600, warmup: 0 };
    const { code, report, stderr } = await bench(doomed, options, async (child, text) => {
      await measuring(child, text);
      await doomed.kill9();
    });
    assert.equal(code, 1);
    assert.equal(report.ok, false);
    assert.match(report.error, /^all connections were lost: /);
    assert.match(stderr, /^error: the benchmark failed: all connections were lost: /m);
    assert.equal(report.connections.dropped, 4);
    assert.ok(report.deliveries.received > 0, 'what came before is still reported');
  });

  for (const rate of ['max', '2000']) {
    it(`publishers that the server drops end the run, with the reason (--rate ${rate})`, async () => {
      const row = assertRow('client_messages_limited', { closeCode: 4100 });
      const options = {
        json: true, 'app-id': 'strict', key: 'strict-key', connections: 6, publishers: 2, rate, duration: 600, warmup: 0, drain: 600,
      };
      const { code, report, stderr } = await bench(server, options);
      assert.equal(code, 1);
      assert.equal(report.error, `all publishers were lost: ${row.pusher_code}: ${row.text}`);
      assert.match(stderr, /client_messages_per_second = 0/);
      assert.equal(report.connections.dropped, 2);
      assert.ok(report.deliveries.received > 0, 'what came before is still reported');
    });
  }

  it('no server at all is told, with exit code 1', async () => {
    const gone = await startServer();
    await gone.stop();
    const { code, stderr } = await bench(gone, { connections: 2 });
    assert.equal(code, 1);
    assert.match(stderr, /^error: the benchmark failed: connect: Connection refused$/m);
  });

  it('wrong options are exit code 2', async () => {
    const { code } = await bench(server, { via: 'pigeon' });
    assert.equal(code, 2);
  });
});

describe('bench over TLS', () => {
  let authority;
  let server;
  before(async () => {
    authority = new Authority();
    server = await startTlsServer(authority, {
      apps: [{ client_events_per_second: 0, client_messages_per_second: 0 }],
      also: ['127.0.0.2:0 tls'],
    });
  });
  after(async () => {
    await server?.stop();
    authority.remove();
  });

  const quick = { json: true, rate: 20, duration: 1, warmup: 0, connections: 4 };
  const trusting = () => ({ ...quick, ca: authority.file('ca.pem'), url: `wss://127.0.0.1:${server.tls_port}` });

  it('client events and HTTP: everything arrives once', async () => {
    for (const via of ['client-events', 'http']) {
      const { code, report } = await bench(server, { ...trusting(), via });
      assert.equal(code, 0, JSON.stringify(report));
      assert.equal(report.url, `wss://127.0.0.1:${server.tls_port}`);
      assert.equal(report.deliveries.received, via === 'http' ? 80 : 60);
      assert.equal(report.deliveries.lost, 0);
    }
  });

  it('flat out with events of many records each', async () => {
    const options = { ...trusting(), rate: 'max', window: 8, payload: 90_000 };
    const { code, report } = await bench(server, options);
    assert.equal(code, 0, JSON.stringify(report));
    assert.ok(report.publishes.sent > 8, 'the window opens again');
    assert.equal(report.deliveries.received, report.publishes.sent * 3);
  });

  it('a name is checked, and sent', async () => {
    const { code, report } = await bench(server, { ...trusting(), url: `https://localhost:${server.tls_port}` });
    assert.equal(code, 0, JSON.stringify(report));
  });

  it('a certificate that nobody vouches for is refused, unless --insecure', async () => {
    const { ca, ...options } = trusting();
    assert.ok(ca);
    const refused = await bench(server, options);
    assert.equal(refused.code, 1);
    assert.match(refused.report.error, /^the certificate is not trusted: /);
    assert.match(refused.stderr, /--ca FILE/);
    assert.equal(refused.report.connections.failed, 4);
    const taken = await bench(server, { ...options, insecure: true });
    assert.equal(taken.code, 0, JSON.stringify(taken.report));
  });

  it('a certificate for another name is refused', async () => {
    // The test certificates are for 127.0.0.1 and localhost.
    const other = server.addresses.find((address) => address.startsWith('127.0.0.2:')).split(' ')[0];
    const { code, report } = await bench(server, { ...trusting(), url: `wss://${other}` });
    assert.equal(code, 1);
    assert.match(report.error, /^the certificate is not trusted: /);
  });

  it('a plain port is told from a TLS one, both ways', async () => {
    const plain = await bench(server, { ...trusting(), url: `wss://127.0.0.1:${server.port}` });
    assert.equal(plain.code, 1);
    assert.match(plain.report.error, /TLS/);
    const secure = await bench(server, { ...quick, url: `ws://127.0.0.1:${server.tls_port}` });
    assert.equal(secure.code, 1);
    assert.match(secure.report.error, /^400: /);
  });

  it('a file of certificates that cannot be read is told', async () => {
    const { code, stderr } = await bench(server, { ...trusting(), json: false, ca: '/nonexistent/ca.pem' });
    assert.equal(code, 1);
    assert.match(stderr, /cannot read the trusted certificates/);
  });
});
