// What /metrics says: figures that follow known traffic, the formats of Prometheus, names of Soketi, and no secret.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { eventually, kBinary, startServer } from './harness.mjs';
import { get } from './plain_get.mjs';

const kMetrics = { listen: '127.0.0.1:0' };

async function scrape(server) {
  const answer = await get(server.metrics_port, '/metrics');
  assert.equal(answer.status, 200, answer.text);
  return answer.text;
}

/** The sum of all samples of `name` whose labels contain all of `labels`. */
function valueOf(page, name, labels = {}) {
  let sum = 0;
  let found = false;
  for (const line of page.split('\n')) {
    const match = /^([a-zA-Z_:0-9]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!match || match[1] !== name) continue;
    if (!Object.entries(labels).every(([key, value]) => (match[2] ?? '').includes(`${key}="${value}"`))) continue;
    found = true;
    sum += Number(match[3]);
  }
  return found ? sum : undefined;
}

describe('metrics', () => {
  let server;
  before(async () => {
    server = await startServer({
      metrics: { ...kMetrics, soketi_prefix: 'soketi_' },
      apps: [{}, { id: 'quiet', key: 'quiet-key', secret: 'canary-secret-8c1f' }],
    });
  });
  after(() => server?.stop());

  it('counts connections, subscriptions, messages, publishes and deliveries', async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => server.connect()));
    for (const client of clients) await client.subscribe('metrics-room');
    await server.publish('metrics-room', 'hello', 'text');
    for (const client of clients) await client.waitFor((event) => event.event === 'hello');
    const page = await scrape(server);
    assert.equal(valueOf(page, 'kilat_connections', { app: 'app-id', protocol: 'pusher' }), 4);
    assert.equal(valueOf(page, 'kilat_connections', { app: 'quiet', protocol: 'pusher' }), 0);
    assert.equal(valueOf(page, 'kilat_connections_opened_total', { app: 'app-id', protocol: 'pusher' }), 4);
    assert.equal(valueOf(page, 'kilat_subscriptions', { app: 'app-id' }), 4);
    assert.equal(valueOf(page, 'kilat_channels', { app: 'app-id' }), 1);
    assert.equal(valueOf(page, 'kilat_messages_received_total', { app: 'app-id', kind: 'subscribe' }), 4);
    assert.equal(valueOf(page, 'kilat_published_total', { app: 'app-id', source: 'api', result: 'accepted' }), 1);
    assert.equal(valueOf(page, 'kilat_deliveries_total', { app: 'app-id' }), 4);
    assert.ok(valueOf(page, 'kilat_delivered_bytes_total', { app: 'app-id' }) > 100);
    assert.ok(valueOf(page, 'kilat_received_bytes_total', { app: 'app-id' }) > 100);
    assert.equal(valueOf(page, 'kilat_api_requests_total', { route: 'events', status: '2xx' }), 1);
    assert.equal(valueOf(page, 'kilat_ready'), 1);
    assert.equal(valueOf(page, 'kilat_draining'), 0);
    assert.equal(valueOf(page, 'kilat_shard_responding'), valueOf(page, 'kilat_shards'));
    assert.ok(valueOf(page, 'kilat_fanout_seconds_count') >= 1, 'the first event is always timed');
    assert.ok(valueOf(page, 'kilat_turn_seconds_count') > 0);
    assert.ok(valueOf(page, 'process_resident_memory_bytes') > 1e6);
    assert.ok(valueOf(page, 'process_open_fds') > 10);

    assert.equal(valueOf(page, 'soketi_connected', { app_id: 'app-id', port: server.port }), 4);
    assert.equal(valueOf(page, 'soketi_ws_messages_sent_total', { app_id: 'app-id' }), 4);
    assert.equal(valueOf(page, 'soketi_http_calls_received_total', { app_id: 'app-id' }), 1);

    for (const client of clients) client.terminate();
    await eventually(async () => {
      const now = await scrape(server);
      return (
        valueOf(now, 'kilat_connections', { app: 'app-id', protocol: 'pusher' }) === 0 &&
        valueOf(now, 'kilat_subscriptions', { app: 'app-id' }) === 0 &&
        valueOf(now, 'kilat_channels', { app: 'app-id' }) === 0 &&
        valueOf(now, 'kilat_connections_closed_total', { protocol: 'pusher' }) === 4
      );
    }, 'the figures of closed connections');
  });

  it('counts members of presence channels', async () => {
    const client = await server.connect();
    await client.join('presence-metrics', 'u1');
    assert.equal(valueOf(await scrape(server), 'kilat_presence_members', { app: 'app-id' }), 1);
    client.terminate();
    await eventually(
      async () => valueOf(await scrape(server), 'kilat_presence_members', { app: 'app-id' }) === 0,
      'the member to be gone',
    );
  });

  it('counts refusals by the row of the table', async () => {
    const before = valueOf(await scrape(server), 'kilat_refusals_total', { reason: 'api_signature_invalid' }) ?? 0;
    const answer = await server.request('GET', '/channels', { secret: 'wrong' });
    assert.equal(answer.status, 401);
    const raw = await get(server.port, '/app/unknown-key?protocol=7');
    assert.equal(raw.status, 426);
    const page = await scrape(server);
    assert.equal(valueOf(page, 'kilat_refusals_total', { reason: 'api_signature_invalid' }), before + 1);
    assert.equal(valueOf(page, 'kilat_refusals_total', { reason: 'ws_upgrade_required' }), 1);
    assert.equal(valueOf(page, 'kilat_api_requests_total', { route: 'channels', status: '4xx' }), 1);
  });

  it('tells the same as JSON', async () => {
    const client = await server.connect();
    await client.subscribe('json-room');
    await server.publish('json-room', 'hello', 'text');
    await client.waitFor((event) => event.event === 'hello');
    const text = await scrape(server);
    const answer = await get(server.metrics_port, '/metrics?json=1');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/json');
    const families = JSON.parse(answer.text);
    const described = families.map(({ name, help, type }) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
    assert.deepEqual(described, text.match(/^# HELP .*\n# TYPE .*\n/gm), 'the same families in the same order');
    const samples = families.flatMap(({ name, values }) =>
      values.map(({ labels, value, metricName }) => {
        assert.equal(typeof value, 'number');
        const list = Object.entries(labels).map(([label, of]) => `${label}="${of}"`);
        return (metricName ?? name) + (list.length > 0 ? `{${list}}` : '');
      }),
    );
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    // What happens while one looks may add a row of reasons or routes, but takes none away.
    const names = lines.map((line) => line.slice(0, line.lastIndexOf(' ')));
    assert.deepEqual(names.filter((name) => !samples.includes(name)), []);
    const value = (name, labels) =>
      families.find((one) => one.name === name).values.find((one) => JSON.stringify(one.labels) === JSON.stringify(labels)).value;
    assert.equal(value('kilat_subscriptions', { app: 'app-id' }), valueOf(text, 'kilat_subscriptions', { app: 'app-id' }));
    assert.equal(value('kilat_shards', {}), valueOf(text, 'kilat_shards'));
    assert.ok(value('kilat_deliveries_total', { app: 'app-id' }) >= 1);
    assert.equal((await get(server.metrics_port, '/metrics?json=0')).text.slice(0, 6), '# HELP');
    client.terminate();
    await eventually(async () => valueOf(await scrape(server), 'kilat_connections', { app: 'app-id', protocol: 'pusher' }) === 0, 'its end');
  });

  it('is served on its own listener only, which serves nothing else', async () => {
    assert.equal((await get(server.port, '/metrics')).status, 404);
    assert.equal((await get(server.port, '/usage')).status, 404);
    assert.equal((await get(server.metrics_port, '/apps/app-id/channels')).status, 404);
    assert.equal((await get(server.metrics_port, `/app/${server.app.key}`)).status, 404);
    const answer = await get(server.metrics_port, '/metrics');
    assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  });

  it('answers many scrapes at once, or says that it is too busy', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => get(server.metrics_port, '/metrics')));
    const statuses = new Set(answers.map((answer) => answer.status));
    assert.ok(statuses.has(200));
    for (const status of statuses) assert.ok(status === 200 || status === 503, `status ${status}`);
  });

  it('shows no secret, and neither does the log or a dump of the state', async () => {
    await server.request('GET', '/channels', { secret: 'wrong' });
    server.child.kill('SIGUSR1');
    const line = await server.waitForLog((entry) => entry.event === 'state', 'the dump of the state');
    assert.equal(line.document.apps.length, 2);
    assert.equal(line.document.port, server.port);
    const everything = [await scrape(server), ...server.logs.map((entry) => JSON.stringify(entry)), ...server.stray];
    for (const secret of ['app-secret', 'canary-secret-8c1f']) {
      for (const text of everything) assert.ok(!text.includes(secret), `a secret in: ${text.slice(0, 400)}`);
    }
  });

  it('passes promtool', { skip: !hasCommand('promtool') && 'promtool is not installed' }, async () => {
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: await scrape(server), encoding: 'utf8' });
    assert.equal(checked.error, undefined);
    // promtool judges names too; Soketi's are as they are.
    const complaints = `${checked.stdout}${checked.stderr}`.split('\n').filter((l) => l && !l.startsWith('soketi_'));
    assert.deepEqual(complaints, []);
  });

  it('is scraped by Prometheus', { skip: !hasCommand('prometheus') && 'prometheus is not installed' }, async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'kilat-prometheus-'));
    const config = path.join(directory, 'prometheus.yml');
    writeFileSync(
      config,
      `scrape_configs:
  - job_name: kilat
    scrape_interval: 500ms
    scrape_timeout: 500ms
    static_configs: [{ targets: ["127.0.0.1:${server.metrics_port}"] }]
`,
    );
    const probe = http.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    const { port } = probe.address();
    await new Promise((resolve) => probe.close(resolve));
    const prometheus = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${path.join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    const ended = new Promise((resolve) => prometheus.once('exit', resolve));
    try {
      const query = '/api/v1/query?query=' + encodeURIComponent('kilat_turn_seconds_count{shard="0"}');
      const result = await eventually(async () => {
        const answer = await get(port, query).catch(() => undefined);
        return answer?.status === 200 && JSON.parse(answer.text).data.result[0];
      }, 'a sample in Prometheus');
      assert.ok(Number(result.value[1]) > 0);
      const targets = JSON.parse((await get(port, '/api/v1/targets')).text).data.activeTargets;
      assert.equal(targets[0].lastError, '');
    } finally {
      prometheus.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('feeds kilat top', () => {
    const url = `http://127.0.0.1:${server.metrics_port}`;
    const text = execFileSync(kBinary, ['top', '--url', url, '--once', '--json', '--interval-ms', '200'], {
      encoding: 'utf8',
    });
    const figures = JSON.parse(text);
    assert.equal(figures.ready, true);
    assert.deepEqual(figures.apps.map((app) => app.id).sort(), ['app-id', 'quiet']);
    const page = execFileSync(kBinary, ['top', '--url', url, '--once', '--interval-ms', '100'], { encoding: 'utf8' });
    assert.match(page, /fan-out {6}p50 /);
  });
});

describe('metrics.listen', () => {
  it('is a warning when the default is taken, and an error when it was asked for', async () => {
    const first = await startServer({ metrics: kMetrics });
    const taken = `127.0.0.1:${first.metrics_port}`;
    try {
      await assert.rejects(startServer({ metrics: { listen: taken } }), /ended/);
    } finally {
      await first.stop();
    }
    const other = http.createServer().listen(9601, '127.0.0.1');
    // Somebody else may have it: then it is taken all the same.
    await new Promise((resolve) => other.once('listening', resolve).once('error', resolve));
    const second = await startServer({ metrics: { listen: '127.0.0.1:9601' } });
    assert.ok(second.logs.some((line) => line.event === 'metrics_unavailable'));
    assert.equal(second.metrics_port, 0);
    other.close();
    await second.stop();
  });
});

function hasCommand(name) {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}
