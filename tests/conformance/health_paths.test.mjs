// Health: our own paths, Soketi's and Reverb's, on both listeners; kilat health and kilat doctor.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { kBinary, startServer } from './harness.mjs';
import { send } from './http_client.mjs';
import { get } from './plain_get.mjs';

const kPaths = ['/', '/ready', '/accept-traffic', '/up', '/health/live', '/health/ready'];

/** Runs a kilat command; `{ code, stdout, stderr }`. */
function kilat(...args) {
  return new Promise((resolve) => {
    const child = spawn(kBinary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const out = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (out.stdout += chunk));
    child.stderr.on('data', (chunk) => (out.stderr += chunk));
    child.once('close', (code) => resolve({ code, ...out }));
  });
}

describe('health', () => {
  let server;
  before(async () => {
    server = await startServer({ metrics: { listen: '127.0.0.1:0' }, server: { drain_ms: 60_000 } });
  });
  after(() => server?.kill9());

  it('answers every path with 200 while all is well', async () => {
    for (const target of kPaths) {
      assert.equal((await send(server, 'GET', target)).status, 200, target);
      assert.equal((await get(server.metrics_port, target)).status, 200, target);
    }
    assert.deepEqual(JSON.parse((await get(server.port, '/up')).text), { health: 'OK' });
    const { memory } = JSON.parse((await get(server.metrics_port, '/usage')).text);
    assert.equal(memory.free + memory.used, memory.total);
    assert.ok(memory.percent > 0 && memory.percent < 100);
  });

  it('kilat health says so with its exit code', async () => {
    const config = path.join(server.directory, 'kilat.toml');
    const ready = await kilat('health', '--url', server.url);
    assert.equal(ready.code, 0, ready.stderr);
    assert.equal(ready.stdout, '{"status":"ready"}\n');
    assert.equal((await kilat('health', '--url', server.url, '--live', '--quiet')).stdout, '');
    // The file says port 0, where nobody listens.
    assert.equal((await kilat('health', '--config', config)).code, 3);
  });

  it('kilat doctor judges the machine by the configuration', async () => {
    const doctor = await kilat('doctor', '--json', '--config', path.join(server.directory, 'kilat.toml'));
    const checks = new Map(JSON.parse(doctor.stdout).map((check) => [check.name, check]));
    for (const name of ['configuration', 'open files', 'net.core.somaxconn', 'port range', 'clock', 'entropy', 'memory']) {
      assert.ok(checks.has(name), name);
    }
    assert.equal(checks.get('configuration').verdict, 'ok');
    assert.equal(doctor.code, [...checks.values()].some((check) => check.verdict === 'fail') ? 1 : 0);
  });

  it('is not ready from the moment a drain begins, and lives on', async () => {
    const client = await server.connect();
    server.child.kill('SIGTERM');
    await server.waitForLog((line) => line.event === 'draining', 'the drain');
    for (const target of ['/ready', '/accept-traffic', '/health/ready']) {
      const answer = await get(server.metrics_port, target);
      assert.equal(answer.status, 503, target);
      assert.equal(JSON.parse(answer.text).cause, 'draining');
      assert.equal((await send(server, 'GET', target)).status, 503, target);
    }
    for (const target of ['/', '/up', '/health/live']) {
      assert.equal((await get(server.metrics_port, target)).status, 200, target);
    }
    assert.match((await get(server.metrics_port, '/metrics')).text, /^kilat_draining 1$/m);
    assert.equal((await kilat('health', '--url', server.url)).code, 1);
    client.terminate();
  });
});
