// A user of Soketi, Reverb or Laravel swaps the server and keeps the environment: the real binary serves with it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import test from 'node:test';

import { folder, kilat, plainEnvironment } from './cli_tool.mjs';
import { kBinary, kWaitMs } from './harness.mjs';

// A file of the system goes before foreign names, as it should.
const skip = existsSync('/etc/kilat/kilat.toml') && '/etc/kilat/kilat.toml exists';

/** Starts `kilat serve` and resolves with its port; the server ends with the test. */
async function serve(t, cwd, { words = [], env = {} } = {}) {
  const child = spawn(kBinary, ['serve', '--log-format', 'json', ...words], {
    cwd,
    env: { ...plainEnvironment(), KILAT_SERVER_SHARDS: '1', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const seen = [];
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready:\n${seen.join('\n')}`)), kWaitMs);
    ended.then(() => reject(new Error(`ended:\n${seen.join('\n')}`)));
    readline.createInterface({ input: child.stderr }).on('line', (line) => {
      seen.push(line);
      if (!line.includes('"event":"ready"')) return;
      clearTimeout(timer);
      resolve({ ...JSON.parse(line), seen });
    });
  });
}

/** A signed request for the channels of an app; resolves with its status. */
async function channels(port, { id, key, secret }, prefix = '') {
  const url = `/apps/${id}/channels`;
  const query = `auth_key=${key}&auth_timestamp=${Math.floor(Date.now() / 1000)}&auth_version=1.0`;
  const signature = createHmac('sha256', secret).update(`GET\n${url}\n${query}`).digest('hex');
  const response = await fetch(`http://127.0.0.1:${port}${prefix}${url}?${query}&auth_signature=${signature}`);
  await response.text();
  return response.status;
}

test('Soketi: its environment is enough', { skip }, async (t) => {
  const env = {
    SOKETI_DEFAULT_APP_ID: 'shop',
    SOKETI_DEFAULT_APP_KEY: 'shop-key',
    SOKETI_DEFAULT_APP_SECRET: 'shop-secret',
    SOKETI_HOST: '127.0.0.1',
    SOKETI_PORT: '0',
    SOKETI_ADAPTER_DRIVER: 'redis',
  };
  const { port, seen } = await serve(t, folder(t), { env });
  assert.equal(await channels(port, { id: 'shop', key: 'shop-key', secret: 'shop-secret' }), 200);
  assert.equal(await channels(port, { id: 'shop', key: 'shop-key', secret: 'wrong' }), 401);
  assert.ok(seen.some((line) => line.startsWith('SOKETI_ADAPTER_DRIVER: warning: has no effect')));
});

test('Soketi: its JSON file is enough, for several apps', { skip }, async (t) => {
  const cwd = folder(t);
  const apps = [
    { id: 'a', key: 'ka', secret: 'sa', maxConnections: -1 },
    { id: 'b', key: 'kb', secret: 'sb', enabled: false },
  ];
  writeFileSync(path.join(cwd, 'config.json'), JSON.stringify({ host: '127.0.0.1', port: 0, 'appManager.array': { apps } }));
  const { port } = await serve(t, cwd, { words: ['--config', 'config.json'] });
  assert.equal(await channels(port, apps[0]), 200);
  assert.equal(await channels(port, { id: 'b', key: 'kb', secret: 'sb' }), 403);
});

test('Reverb: the .env of the application is enough', { skip }, async (t) => {
  const cwd = folder(t);
  writeFileSync(
    path.join(cwd, '.env'),
    'APP_NAME=Shop\nREVERB_APP_ID=123456\nREVERB_APP_KEY="rk"\nREVERB_APP_SECRET=rs # generated\n' +
      'REVERB_HOST="localhost"\nREVERB_PORT=8080\nREVERB_SERVER_HOST=127.0.0.1\nREVERB_SERVER_PORT=0\n' +
      'REVERB_SERVER_PATH=ws\nVITE_REVERB_APP_KEY="${REVERB_APP_KEY}"\n',
  );
  const { port } = await serve(t, cwd);
  assert.equal(await channels(port, { id: '123456', key: 'rk', secret: 'rs' }, '/ws'), 200);
});

test('precedence: flags, KILAT_ names, foreign names, the file, defaults', (t) => {
  const cwd = folder(t);
  writeFileSync(
    path.join(cwd, 'kilat.toml'),
    '[server]\nport = 1001\ndrain_ms = 1\n[log]\nlevel = "warn"\n[[app]]\nid = "a"\nkey = "k"\nsecret = "s"\n',
  );
  const env = { SOKETI_PORT: '1002', SOKETI_SHUTDOWN_GRACE_PERIOD: '2', SOKETI_DEBUG: 'true', KILAT_SERVER_PORT: '1003' };
  const { code, out, err } = kilat(['check', '--diff'], { cwd, env });
  assert.equal(code, 0, err);
  assert.match(out, /^server\.port 6001 -> 1003    KILAT_SERVER_PORT$/m);
  assert.match(out, /^server\.drain_ms 3s -> 2ms    SOKETI_SHUTDOWN_GRACE_PERIOD$/m);
  assert.match(out, /^log\.level info -> debug    SOKETI_DEBUG$/m);
  assert.match(err, /^SOKETI_SHUTDOWN_GRACE_PERIOD: warning: overrides server\.drain_ms of kilat\.toml:3$/m);
});

test('half an app of Soketi: a development app is made, and the missing names are said', { skip }, async (t) => {
  const { seen } = await serve(t, folder(t), { env: { SOKETI_DEFAULT_APP_KEY: 'app-key', SOKETI_PORT: '0' } });
  assert.ok(seen.some((line) => line.includes('the variables of Soketi give no whole app')));
});

test('another address than loopback without a configuration is refused with the way out', { skip }, (t) => {
  const { code, err } = kilat(['serve', '--host', '0.0.0.0'], { cwd: folder(t) });
  assert.equal(code, 1);
  assert.match(err, /host 0\.0\.0\.0 needs a configuration file/);
  assert.match(err, /kilat init --listen 0\.0\.0\.0:6001 > kilat\.toml/);
});
