// The end of a server and its handover: drain, second signal, pid file, systemd, and a second process on the same port.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';

import { endWithFile } from './children.mjs';
import { eventually, kBinary, reasonRow, startServer } from './harness.mjs';
import { frameOf, openSocket, subscribe } from './tls_lab.mjs';
import { connect, socketPath } from './ws_client.mjs';

describe('drain', () => {
  for (const half of [0, 3]) it(`spreads the closes over the drain and says how it went (${half} requests never end)`, async () => {
    const server = await startServer({ server: { drain_ms: 4000 } });
    const unfinished = Array.from({ length: half }, () => net.connect(server.port, server.host));
    for (const socket of unfinished) {
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write('POST /apps/1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"na');
    }
    const clients = await Promise.all(Array.from({ length: 40 }, () => server.connect()));
    server.child.kill('SIGTERM');
    const draining = await server.waitForLog((line) => line.event === 'draining', 'the drain');
    assert.equal(draining.connections, 40);
    assert.equal(draining.reason, 'server_draining');
    await server.exited;
    const drained = await server.waitForLog((line) => line.event === 'drained', 'the end of the drain').catch(() =>
      server.logs.find((line) => line.event === 'drained'),
    );
    assert.equal(drained.cut_off, half);
    const times = server.logs
      .filter((line) => line.event === 'connection_closed' && line.protocol === 'pusher')
      .map((line) => Date.parse(line.ts));
    assert.equal(times.length, 40);
    // No more than half of them within any tenth of the time: at once would be all.
    for (const begin of times) {
      const together = times.filter((time) => time >= begin && time < begin + 400).length;
      assert.ok(together <= 20, `${together} closes within 400 ms`);
    }
    for (const client of clients) client.terminate();
    for (const socket of unfinished) socket.destroy();
    await server.stop();
  });

  it('is cut short by a second signal', async () => {
    const server = await startServer({ server: { drain_ms: 3_600_000 } });
    await Promise.all(Array.from({ length: 5 }, () => server.connect()));
    server.child.kill('SIGTERM');
    await server.waitForLog((line) => line.event === 'draining', 'the drain');
    server.child.kill('SIGTERM');
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    await server.stop();
    assert.ok(server.logs.find((line) => line.event === 'drained').cut_off > 0);
  });

  it('refuses a reload meanwhile', async () => {
    const server = await startServer({ server: { drain_ms: 3_600_000 } });
    await server.connect();
    server.child.kill('SIGTERM');
    await server.waitForLog((line) => line.event === 'draining', 'the drain');
    const answer = spawnSync(kBinary, ['reload', '--pid', String(server.child.pid)], { encoding: 'utf8' });
    assert.equal(answer.status, 1);
    assert.match(answer.stderr + answer.stdout, /the server is draining/);
    await server.kill9();
  });
});

describe('pid file', () => {
  it('names the process while it runs and is gone afterwards', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'kilat-pid-'));
    const pid_file = path.join(directory, 'kilat.pid');
    const server = await startServer({ server: { pid_file } });
    assert.equal(readFileSync(pid_file, 'utf8'), `${server.child.pid}\n`);
    const outcome = spawnSync(kBinary, ['reload', '--pid-file', pid_file], { encoding: 'utf8' });
    assert.equal(outcome.status, 0, outcome.stderr);
    const config = path.join(server.directory, 'kilat.toml');
    assert.equal(spawnSync(kBinary, ['reload', '--config', config]).status, 0);
    await server.stop();
    assert.ok(!existsSync(pid_file));
    assert.equal(spawnSync(kBinary, ['reload', '--pid-file', pid_file]).status, 1);
    rmSync(directory, { recursive: true });
  });
});

// Plays systemd: the service manager's socket, or a listening socket handed over as descriptor 3.
const kSystemd = `
import os, socket, sys
mode, binary, config = sys.argv[1:4]
environment = dict(os.environ)
if mode == "notify":
    watch = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    watch.bind("\\0kilat-systemd-%d" % os.getpid())
    environment["NOTIFY_SOCKET"] = "@kilat-systemd-%d" % os.getpid()
    environment["WATCHDOG_USEC"] = "3000000"
    pid = os.posix_spawn(binary, [binary, "serve", "--config", config], environment)
    print("pid", pid, flush=True)
    while True:
        text = watch.recv(4096).decode()
        print("notify", text.replace("\\n", "|"), flush=True)
        if text.startswith("STOPPING"):
            break
    os.waitpid(pid, 0)
    print("ended", flush=True)
else:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    print("port", listening.getsockname()[1], flush=True)
    for line in sys.stdin:
        if line.strip() == "start":
            pid = os.fork()
            if pid == 0:
                os.dup2(listening.fileno(), 3)
                os.set_inheritable(3, True)
                os.environ["LISTEN_PID"] = str(os.getpid())
                os.environ["LISTEN_FDS"] = "1"
                os.execv(binary, [binary, "serve", "--config", config])
            print("pid", pid, flush=True)
        else:
            os.waitpid(int(line.split()[1]), 0)
            print("ended", flush=True)
`;

/** A Python process that plays systemd; `line(prefix)` resolves with the rest of the next such line of its output. */
function playSystemd(mode, config) {
  const child = endWithFile(spawn('python3', ['-c', kSystemd, mode, kBinary, config], { stdio: ['pipe', 'pipe', 'pipe'] }));
  const lines = [];
  let rest = '';
  child.stdout.on('data', (chunk) => {
    rest += chunk;
    const parts = rest.split('\n');
    rest = parts.pop();
    lines.push(...parts);
  });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += chunk));
  return {
    child,
    errors: () => errors,
    line: async (prefix) => {
      const index = await eventually(() => {
        const found = lines.findIndex((text) => text.startsWith(prefix));
        return found >= 0 && { found };
      }, `"${prefix}" from the service manager: ${errors}`);
      return lines.splice(index.found, 1)[0].slice(prefix.length).trim();
    },
  };
}

describe('systemd', () => {
  it('hears READY, STATUS, WATCHDOG, RELOADING and STOPPING', async () => {
    const model = await startServer();
    const systemd = playSystemd('notify', path.join(model.directory, 'kilat.toml'));
    const pid = Number(await systemd.line('pid '));
    assert.match(await systemd.line('notify READY=1'), /STATUS=ready/);
    await systemd.line('notify WATCHDOG=1');
    process.kill(pid, 'SIGHUP');
    assert.match(await systemd.line('notify RELOADING=1'), /MONOTONIC_USEC=\d+/);
    await systemd.line('notify READY=1');
    process.kill(pid, 'SIGTERM');
    assert.match(await systemd.line('notify STOPPING=1'), /STATUS=draining: 0 connections/);
    await systemd.line('ended');
    await model.stop();
  });

  it('hands over a socket, and a restart behind it refuses nobody', async () => {
    const model = await startServer({ server: { drain_ms: 300 } });
    const systemd = playSystemd('socket', path.join(model.directory, 'kilat.toml'));
    const port = Number(await systemd.line('port '));
    const start = async () => {
      systemd.child.stdin.write('start\n');
      return Number(await systemd.line('pid '));
    };
    const first = await start();
    const target = { ...model, url: `http://127.0.0.1:${port}`, port, host: '127.0.0.1' };
    target.clients = new Set();
    target.violations = [];
    const client = await connect(target, {});
    process.kill(first, 'SIGTERM');
    await eventually(() => client.closed, 'the goodbye');
    systemd.child.stdin.write(`wait ${first}\n`);
    await systemd.line('ended');
    // Nobody accepts now; the connection waits in the queue of the socket.
    const waiting = connect(target, {});
    const second = await start();
    const late = await waiting;
    late.terminate();
    process.kill(second, 'SIGTERM');
    systemd.child.stdin.write(`wait ${second}\n`);
    await systemd.line('ended');
    systemd.child.kill('SIGTERM');
    await model.stop();
  });
});

describe('handover', () => {
  // Reconnects at once, like pusher-js after 4200, and keeps what every connection got.
  class Reader {
    constructor(target, channel) {
      this.target = target;
      this.channel = channel;
      this.got = [];
      this.reconnects = -1;
      this.stopped = false;
      this.running = this.#run();
    }

    async #run() {
      while (!this.stopped) {
        ++this.reconnects;
        this.client = await connect(this.target, {});
        await this.client.subscribe(this.channel);
        this.subscribed = true;
        await eventually(() => this.client.closed || this.stopped, 'the end of a connection', 300_000);
        this.subscribed = false;
        this.got.push(...this.client.all('n', this.channel).map((frame) => Number(frame.data)));
        this.codes = [...(this.codes ?? []), this.client.closed?.code];
      }
    }
  }

  it('to a second process on the same port loses no event that the process of the reader acknowledged', async () => {
    const first = await startServer({ server: { drain_ms: 3000 }, log: { level: 'info' } });
    const target = Object.assign(Object.create(Object.getPrototypeOf(first)), first);
    target.clients = new Set();
    const readers = Array.from({ length: 20 }, () => new Reader(target, 'handover'));
    await eventually(() => readers.every((reader) => reader.subscribed), 'all readers');

    // One keep-alive connection: all its events go to one process until that closes it.
    let next = 0;
    const acknowledged = new Map(); // number -> process that said 200
    let process_of_publisher = 'first';
    let stop = false;
    const publisher = (async () => {
      while (!stop) {
        const batch = Array.from({ length: 10 }, () => ({ name: 'n', channel: 'handover', data: String(next++) }));
        const answer = await first.request('POST', '/batch_events', { body: { batch } }).catch(() => undefined);
        if (answer?.status === 200) {
          for (const event of batch) acknowledged.set(Number(event.data), process_of_publisher);
        }
        // 10 events each 5 ms: 2,000 a second.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    await eventually(() => next > 500, 'some events before the handover');

    process_of_publisher = 'either';
    const second = await startServer({
      port: first.port,
      server: { drain_ms: 3000 },
      log: { level: 'info' },
      args: ['--replace'],
    });
    assert.equal(second.port, first.port);
    const took_over = await second.waitForLog((line) => line.event === 'took_over', 'the handover');
    assert.equal(took_over.pid, first.child.pid);
    assert.deepEqual(await first.exited, { code: 0, signal: null });
    process_of_publisher = 'second';
    await eventually(
      () => readers.every((reader) => reader.subscribed && reader.reconnects >= 1),
      'all readers at the second process',
    );
    const settled = next;
    await eventually(() => next > settled + 500, 'events after the handover');
    stop = true;
    await publisher;
    const last = Math.max(...[...acknowledged.keys()]);
    await eventually(
      () => readers.every((reader) => reader.client.all('n', 'handover').some((f) => Number(f.data) === last)),
      'the last event at every reader',
    );
    for (const reader of readers) {
      reader.stopped = true;
      await reader.running;
      assert.equal(reader.reconnects, 1, 'each reader came back once');
      assert.equal(reader.codes[0], 4200);
      const got = new Set(reader.got);
      assert.equal(got.size, reader.got.length, 'nothing twice');
      assert.deepEqual(reader.got, [...reader.got].sort((a, b) => a - b), 'in order');
      // Before the second process was there, and once all were with it, nothing may be missing.
      const missing = [...acknowledged].filter(([number, by]) => {
        const sure = by === 'first' || (by === 'second' && number >= settled);
        return sure && !got.has(number);
      });
      assert.deepEqual(missing, []);
    }
    first.closeClients();
    await first.stop();
    for (const client of target.clients) client.terminate();
    await second.stop();
  });

  it('hands a Unix socket over: whoever connects meanwhile is served', async (t) => {
    const directory = mkdtempSync(path.join(tmpdir(), 'kilat-unix-'));
    const file = path.join(directory, 'kilat.sock');
    // The port is named, because it is how the second process finds the first.
    const first = await startServer({ server: { drain_ms: 1500, listen: ['127.0.0.1:0', `unix:${file}`] } });
    t.after(() => first.kill9());
    const options = {
      server: { drain_ms: 1500, listen: [`127.0.0.1:${first.port}`, `unix:${file}`] },
      args: ['--replace'],
    };
    const url = `ws+unix://${file}:${socketPath(first)}`;
    const reader = await openSocket(url);
    await subscribe(reader, 'local');
    let over = false;
    let visits = 0;
    const visiting = (async () => {
      for (; !over; ++visits) {
        // Fails when there is no socket at the path, when nobody listens on it, or when its queue is thrown away.
        const visitor = await openSocket(url);
        await frameOf(visitor, (frame) => frame.event === 'pusher:connection_established', 'welcome');
        visitor.terminate();
      }
    })();
    visiting.catch(() => {});
    const orRefused = (waiting) => Promise.race([waiting, visiting]);
    await orRefused(eventually(() => visits > 10, 'visits before'));
    const second = await startServer(options);
    t.after(() => second.kill9());
    await second.waitForLog((line) => line.event === 'took_over', 'the handover');
    assert.equal(await orRefused(reader.closing), reasonRow('server_draining').close_code);
    const moved = await openSocket(url);
    await subscribe(moved, 'local');
    await first.exited;
    const before = visits;
    await orRefused(eventually(() => visits > before + 10, 'visits afterwards'));
    over = true;
    await visiting;
    await first.stop();
    assert.ok(existsSync(file), 'the first left the socket of the second alone');
    await second.publish('local', 'hello', '1');
    await frameOf(moved, (frame) => frame.event === 'hello', 'an event through the second');
    moved.terminate();
    await second.stop();
    assert.ok(!existsSync(file));
    rmSync(directory, { recursive: true });
  });

  it('without --replace a second process is refused the port', async () => {
    const first = await startServer();
    await assert.rejects(startServer({ port: first.port }), /address already in use/);
    await first.stop();
  });

  it('with --replace and no server there is an ordinary start', async () => {
    const server = await startServer({ args: ['--replace'] });
    assert.ok(!server.logs.some((line) => line.event === 'took_over'));
    await server.stop();
  });
});
