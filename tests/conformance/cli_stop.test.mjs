// `kilat stop`: finds the server, lets it drain, waits for its end, and touches nothing else.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';

import { folder, kilat, plainEnvironment } from './cli_tool.mjs';
import { eventually, kBinary, kWaitMs, reasonRow, startServer } from './harness.mjs';

/** `kilat stop ...words` beside this process, which must go on reading what the server says. */
function stop(...words) {
  return new Promise((resolve) => {
    execFile(kBinary, ['stop', ...words], { env: plainEnvironment(), timeout: kWaitMs }, (error, out, err) => {
      resolve({ code: error?.code ?? 0, out, err });
    });
  });
}

const configOf = (server) => path.join(server.directory, 'kilat.toml');

describe('kilat stop', () => {
  it('by pid: clients are told to come back, and it returns when the server has ended', async () => {
    const server = await startServer({ server: { drain_ms: 1000 } });
    const clients = await Promise.all(Array.from({ length: 5 }, () => server.connect()));
    const { code, out, err } = await stop('--pid', String(server.child.pid));
    assert.equal(code, 0, err);
    const pid = server.child.pid;
    const told = new RegExp(`^stop: told process ${pid} to close its connections over server.drain_ms and end\n`);
    assert.match(out, told);
    assert.match(out, new RegExp(`stop: process ${pid} has ended after [0-9.]+ s\n$`));
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    for (const client of clients) {
      const { code: close_code } = await client.waitClose();
      assert.equal(close_code, reasonRow('server_draining').close_code);
    }
    await server.stop();
    assert.equal(server.logs.find((line) => line.event === 'drained').cut_off, 0);
  });

  it('--now cuts off what is left', async () => {
    const server = await startServer({ server: { drain_ms: 3_600_000 } });
    await Promise.all(Array.from({ length: 5 }, () => server.connect()));
    const { code, out, err } = await stop('--now', '--pid', String(server.child.pid));
    assert.equal(code, 0, err);
    assert.match(out, /to stop at once\n/);
    await server.stop();
    assert.ok(server.logs.find((line) => line.event === 'drained').cut_off > 0);
  });

  it('--now ends a drain that is under way', async () => {
    const server = await startServer({ server: { drain_ms: 3_600_000 } });
    await server.connect();
    const waiting = stop('--pid', String(server.child.pid));
    await server.waitForLog((line) => line.event === 'draining', 'the drain');
    assert.equal((await stop('--now', '--pid', String(server.child.pid))).code, 0);
    assert.equal((await waiting).code, 0, 'the first one was waiting for the same');
    await server.stop();
  });

  it('finds the server by its pid file, and by the port of its configuration', async (t) => {
    const pid_file = path.join(folder(t), 'kilat.pid');
    const first = await startServer({ server: { pid_file, drain_ms: 100 } });
    assert.equal((await stop('--pid-file', pid_file)).code, 0);
    await first.stop();
    const gone = await startServer();
    await gone.stop();
    const second = await startServer({ port: gone.port, server: { drain_ms: 100 } });
    assert.equal((await stop('--config', configOf(second))).code, 0);
    await second.stop();
  });

  it('refuses a process that is not kilat, as an old pid file may name', async (t) => {
    const pid_file = path.join(folder(t), 'kilat.pid');
    writeFileSync(pid_file, `${process.pid}\n`);
    let signalled = false;
    const note = () => {
      signalled = true;
    };
    process.on('SIGTERM', note);
    const { code, err } = await stop('--pid-file', pid_file);
    process.off('SIGTERM', note);
    assert.equal(code, 1);
    assert.match(err, new RegExp(`^error: process ${process.pid} is not kilat: it is called `));
    assert.equal(signalled, false);
  });

  it('says when there is no server', async (t) => {
    const cwd = folder(t);
    const gone = await startServer();
    const config = path.join(cwd, 'kilat.toml');
    writeFileSync(config, `[server]\nport = ${gone.port}\n[[app]]\nid = "a"\nkey = "k"\nsecret = "s"\n`);
    await gone.stop();
    const { code, err } = kilat(['stop', '--config', config], { cwd });
    assert.equal(code, 1);
    assert.match(err, /^error: no server runs on /);
    assert.match(err, /kilat stop --pid PID/);
    assert.equal(kilat(['stop', '--pid', '999999999'], { cwd }).code, 1);
  });

  it('is the remedy that a second server names', async (t) => {
    const server = await startServer();
    const cwd = folder(t);
    const { code, err } = kilat(['serve', '--port', String(server.port)], { cwd });
    assert.equal(code, 1);
    const remedy = new RegExp(`kilat (stop --pid ${server.child.pid})$`, 'm').exec(err);
    assert.ok(remedy, err);
    assert.equal((await stop(...remedy[1].split(' ').slice(1))).code, 0);
    await eventually(() => server.ended, 'the end');
    await server.stop();
  });

  it('is in the help, the manual and the completion', () => {
    assert.match(kilat(['--help'], {}).out, /^ +stop +Have the running server/m);
    assert.match(kilat(['man', 'stop'], {}).out, /kilat stop/);
    assert.match(kilat(['completion', 'bash'], {}).out, /\bstop\b/);
  });
});
