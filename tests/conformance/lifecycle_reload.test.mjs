// Reload: kilat reload and SIGHUP, what applies live, what needs a restart, and that an invalid file changes nothing.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { expectClose } from './asserts.mjs';
import { configText, kApp, kBinary, startServer } from './harness.mjs';
import { get } from './plain_get.mjs';

const kOther = { id: 'other', key: 'other-key', secret: 'canary-other-secret' };

/** Runs `kilat reload`; `{ code, stdout, stderr }`. */
function reload(server, ...args) {
  return new Promise((resolve) => {
    const child = spawn(kBinary, ['reload', '--pid', String(server.child.pid), ...args]);
    const out = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (out.stdout += chunk));
    child.stderr.on('data', (chunk) => (out.stderr += chunk));
    child.once('close', (code) => resolve({ code, ...out }));
  });
}

describe('reload', () => {
  let server;
  let options;
  const write = (text) => writeFileSync(path.join(server.directory, 'kilat.toml'), text);
  const rewrite = (changes) => write(configText({ ...options, ...changes }));

  before(async () => {
    options = { apps: [{}, kOther], metrics: { listen: '127.0.0.1:0' } };
    server = await startServer(options);
  });
  after(() => server?.stop());

  it('without a change says so', async () => {
    const outcome = await reload(server);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /^reload: no setting differs; done in \d+ ms, no connection was closed$/m);
  });

  it('applies limits and settings of apps live, and names what needs a restart', async () => {
    const client = await server.connect();
    rewrite({
      apps: [{ event_bytes_max: 100, subscription_count: true }, kOther],
      server: { shards: 7 },
      limits: { malformed_per_minute: 3 },
    });
    const outcome = await reload(server);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /reload: 3 changes applied: /);
    assert.match(outcome.stdout, /app\.app-id\.event_bytes_max 100KiB -> 100B?/);
    assert.match(outcome.stdout, /reload: needs restart, kept the old value: server\.shards \d+ -> 7\n/);
    assert.match(outcome.stdout, /no connection was closed\n$/);
    const kept = await server.waitForLog((line) => line.event === 'reload_needs_restart', 'the setting that waits');
    assert.match(kept.kept_old_value, /^server\.shards /);

    const answer = await server.request('POST', '/events', {
      body: { name: 'e', channels: ['c'], data: 'x'.repeat(101) },
    });
    assert.equal(answer.status, 413, answer.text);
    await client.subscribe('counted');
    await client.waitFor('pusher_internal:subscription_count');
    for (let i = 0; i < 4; ++i) client.send('no json');
    await expectClose(client, 'too_many_malformed');
    rewrite({});
    assert.equal((await reload(server)).code, 0);
  });

  it('of an invalid file changes nothing and reports place and cause', async () => {
    const client = await server.connect();
    const since = server.logs.length;
    write(`${configText({ ...options, apps: [{ max_conections: 5 }, kOther] })}`);
    const outcome = await reload(server);
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /kilat\.toml:\d+:1: error: .*max_conections/);
    assert.match(outcome.stderr, /max_conections = 5\n.*\^\^\^/);
    assert.match(outcome.stderr, /did you mean "?max_connections/);
    assert.match(outcome.stderr, /nothing was changed/);
    const line = await server.waitForLog((entry) => entry.event === 'config_error', 'the error', { since });
    assert.ok(line.line > 0);
    assert.match(line.message, /max_conections/);
    await server.waitForLog((entry) => entry.event === 'reload_refused', 'the refusal', { since });
    await client.ping();
    assert.match((await get(server.metrics_port, '/metrics')).text, /^kilat_reload_succeeded 0$/m);
    rewrite({});
    assert.equal((await reload(server)).code, 0);
    const page = (await get(server.metrics_port, '/metrics')).text;
    assert.match(page, /^kilat_reload_succeeded 1$/m);
    assert.match(page, /^kilat_reloads_total\{result="refused"\} 1$/m);
  });

  it('adds an app that can be used at once, changes its secret, and removes it with its connections', async () => {
    const added = { id: 'added', key: 'added-key', secret: 'canary-first-secret' };
    const app = { ...kApp, ...added };
    rewrite({ apps: [{}, kOther, added] });
    const outcome = await reload(server);
    assert.match(outcome.stdout, /1 change applied: app\.added added\n/);

    const staying = await server.connect();
    const clients = await Promise.all(Array.from({ length: 6 }, () => server.connect({ app, key: app.key })));
    for (const client of clients) await client.subscribe('private-room');
    const published = await server.request('POST', '/events', {
      app,
      body: { name: 'e', channels: ['private-room'], data: 'x' },
    });
    assert.equal(published.status, 200, published.text);
    for (const client of clients) await client.waitFor('e');

    rewrite({ apps: [{}, kOther, { ...added, secret: 'canary-second-secret' }] });
    const changed = await reload(server);
    assert.match(changed.stdout, /app\.added\.secret changed/);
    assert.doesNotMatch(changed.stdout, /canary/);
    assert.equal((await server.request('GET', '/channels', { app })).status, 401);
    const renewed = { ...app, secret: 'canary-second-secret' };
    assert.equal((await server.request('GET', '/channels', { app: renewed })).status, 200);

    rewrite({});
    const removed = await reload(server);
    assert.match(removed.stdout, /app\.added removed/);
    assert.match(removed.stdout, /6 connections of removed apps closed/);
    for (const client of clients) await expectClose(client, 'app_unknown');
    assert.equal((await server.request('GET', '/channels', { app: renewed })).status, 404);
    await staying.ping();
    staying.terminate();
  });

  it('closes the connections of an app that is disabled', async () => {
    const app = { ...kApp, ...kOther };
    const client = await server.connect({ app, key: app.key });
    rewrite({ apps: [{}, { ...kOther, enabled: false }] });
    assert.equal((await reload(server)).code, 0);
    await expectClose(client, 'app_disabled');
    rewrite({});
    assert.equal((await reload(server)).code, 0);
    const again = await server.connect({ app, key: app.key });
    again.terminate();
  });

  it('by a plain SIGHUP does the same', async () => {
    const since = server.logs.length;
    rewrite({ log: { level: 'info' } });
    server.child.kill('SIGHUP');
    const line = await server.waitForLog((entry) => entry.event === 'reloaded', 'the end of the reload', { since });
    assert.equal(line.applied, 1);
    rewrite({});
    assert.equal((await reload(server)).code, 0);
  });

  it('goes on under load without losing an event', async () => {
    const client = await server.connect();
    await client.subscribe('loaded');
    let sent = 0;
    let stop = false;
    const publisher = (async () => {
      while (!stop) await server.publish('loaded', 'n', String(sent++));
    })();
    for (let round = 0; round < 10; ++round) {
      const apps = [{ event_bytes_max: 1000 + round }, kOther, { id: `r${round % 3}`, key: `k${round}`, secret: 's' }];
      rewrite({ apps });
      assert.equal((await reload(server)).code, 0);
    }
    stop = true;
    await publisher;
    await client.waitFor((frame) => frame.event === 'n' && frame.data === String(sent - 1));
    assert.deepEqual(
      client.all('n', 'loaded').map((frame) => Number(frame.data)),
      Array.from({ length: sent }, (_, i) => i),
    );
    client.terminate();
    rewrite({});
    assert.equal((await reload(server)).code, 0);
  });

  it('never writes a secret to the log', () => {
    const everything = [...server.logs.map((entry) => JSON.stringify(entry)), ...server.stray].join('\n');
    for (const secret of ['canary-', 'app-secret']) assert.ok(!everything.includes(secret), secret);
  });

  it('without a server tells how to name one', async () => {
    const child = spawn(kBinary, ['reload', '--config', path.join(server.directory, 'kilat.toml')]);
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += chunk));
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 1);
    assert.match(stderr, /kilat reload --pid PID/);
  });
});
