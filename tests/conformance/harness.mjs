// Starts and stops one kilat server for the conformance tests and reads what it says about itself.
// Owner: the test file that called startServer(); it must end the server with stop() or kill9().
// Servers listen on loopback at a port the kernel picks, or at the port given, and are signalled by their own pid.
// Environment: KILAT_BIN (default build/dev/kilat from the repository root), KILAT_SHARDS (default 2),
// KILAT_WAIT_MS (default 60000: how long any single wait may last; generous because sanitizer builds are slow).
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

import { endWithFile } from './children.mjs';
import { request as signedRequest } from './http_client.mjs';
import { kWaitMs, Waiters } from './wait.mjs';
import { connect as connectClient } from './ws_client.mjs';

const require = createRequire(import.meta.url);

export const kRepoRoot = fileURLToPath(new URL('../..', import.meta.url));
export const kBinary = process.env.KILAT_BIN
  ? path.resolve(process.env.KILAT_BIN)
  : path.join(kRepoRoot, 'build/dev/kilat');
export { kWaitMs };
const kShards = Number(process.env.KILAT_SHARDS || 2);

/** The app every case speaks of unless it says otherwise. */
export const kApp = Object.freeze({
  id: 'app-id',
  key: 'app-key',
  secret: 'app-secret',
  client_events: true,
});

/** What sanitizers and failed assertions leave on stderr. */
const kSanitizer = /(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:|SUMMARY: /;

function toml_value(value) {
  if (Array.isArray(value)) return `[${value.map(toml_value).join(', ')}]`;
  if (typeof value === 'string') return JSON.stringify(value);
  return String(value);
}

function toml_table(header, table) {
  const lines = Object.entries(table)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} = ${toml_value(value)}`);
  return `${header}\n${lines.join('\n')}\n`;
}

/** The configuration file for the given tables; apps are completed with kApp's fields. */
export function configText({ apps = [{}], server = {}, http = {}, limits = {}, log = {}, tls = {}, metrics = {}, health = {}, socketio = {}, history = {}, ingest = {}, port = 0 }) {
  const parts = [
    toml_table('[server]', { listen: `127.0.0.1:${port}`, shards: kShards, ...server }),
    toml_table('[log]', { level: 'debug', format: 'json', ...log }),
  ];
  // Many servers run at once, and only one could have the default address.
  parts.push(toml_table('[metrics]', { listen: '', ...metrics }));
  if (Object.keys(health).length > 0) parts.push(toml_table('[health]', health));
  if (Object.keys(tls).length > 0) parts.push(toml_table('[tls]', tls));
  if (Object.keys(http).length > 0) parts.push(toml_table('[http]', http));
  if (Object.keys(limits).length > 0) parts.push(toml_table('[limits]', limits));
  if (Object.keys(socketio).length > 0) parts.push(toml_table('[socketio]', socketio));
  if (Object.keys(history).length > 0) parts.push(toml_table('[history]', history));
  if (Object.keys(ingest).length > 0) parts.push(toml_table('[ingest]', ingest));
  for (const app of apps) parts.push(toml_table('[[app]]', { ...kApp, ...app }));
  return parts.join('\n');
}

let reason_rows;

/** The row `id` of the server's own table of reasons. */
export function reasonRow(id) {
  if (!reason_rows) {
    const text = execFileSync(kBinary, ['reasons', '--json'], { encoding: 'utf8' });
    reason_rows = new Map(JSON.parse(text).map((row) => [row.id, row]));
  }
  const row = reason_rows.get(id);
  assert.ok(row, `"${id}" is not a row of the table of reasons`);
  return row;
}

/** Asserts what the table promises for `id`; only the fields given are looked at. A pusherCode of null means JSON null. */
export function assertRow(id, { closeCode, pusherCode, httpStatus } = {}) {
  const row = reasonRow(id);
  if (closeCode !== undefined) assert.equal(row.close_code, closeCode, `${id}: close_code`);
  if (pusherCode !== undefined) assert.equal(row.pusher_code, pusherCode, `${id}: pusher_code`);
  if (httpStatus !== undefined) assert.equal(row.http_status, httpStatus, `${id}: http_status`);
  return row;
}

/** Resolves with the first truthy value of `probe`, which is asked again every few milliseconds. */
export async function eventually(probe, what, timeout_ms = kWaitMs) {
  const deadline = Date.now() + timeout_ms;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) assert.fail(`waited ${timeout_ms} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** One server process. Made by startServer(). */
class Server {
  constructor(child, directory, options) {
    this.child = child;
    this.directory = directory;
    this.apps = (options.apps ?? [{}]).map((app) => ({ ...kApp, ...app }));
    this.app = this.apps[0];
    this.prefix = options.server?.path_prefix ?? '';
    this.host = '127.0.0.1';
    this.port = 0;
    this.logs = []; // one object a log line, in order
    this.stray = []; // lines of stderr that are not JSON
    this.clients = new Set();
    this.violations = []; // broken string rules of the protocol, found by any recording client
    this.waiters = new Waiters();
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.ended = null;
    this.exited.then((how) => {
      this.ended = how;
      this.waiters.changed();
    });
    // The exit event may come before the last lines have been read.
    this.drained = new Promise((resolve) => {
      readline
        .createInterface({ input: child.stderr })
        .on('line', (line) => this.#take_line(line))
        .once('close', resolve);
    });
    child.stdout.resume();
  }

  get url() {
    return `http://${this.host}:${this.port}`;
  }

  #take_line(line) {
    let entry;
    try {
      entry = JSON.parse(line);
    } catch {
      this.stray.push(line);
      return;
    }
    this.logs.push(entry);
    this.waiters.changed();
  }

  /** Resolves with the first log line, past (from index `since` on) or future, for which `predicate` holds. */
  waitForLog(predicate, what = String(predicate), { since = 0, timeout_ms = kWaitMs } = {}) {
    let seen = since;
    const probe = () => {
      for (; seen < this.logs.length; ++seen) {
        if (predicate(this.logs[seen])) return this.logs[seen];
      }
      return null;
    };
    const over = () => this.ended && `server ended (${JSON.stringify(this.ended)}) before ${what}`;
    const late = () => {
      const tail = this.logs.slice(-5).map((line) => JSON.stringify(line));
      return `no log line for ${what}; the last ones:\n${[...tail, ...this.stray].join('\n')}`;
    };
    return this.waiters.until(probe, { over, late, timeout_ms });
  }

  /** Ids of the reasons of all connections closed so far, in order. */
  closedReasons() {
    return this.logs.filter((line) => line.event === 'connection_closed').map((line) => line.reason);
  }

  /** The log line of the close of one socket; fails unless its reason is `reason`. */
  async closeLog(socket_id, reason) {
    const line = await this.waitForLog(
      (entry) => entry.event === 'connection_closed' && entry.socket_id === socket_id,
      `the close of ${socket_id}`,
    );
    assert.equal(line.reason, reason, `logged reason of ${socket_id}`);
    return line;
  }

  /** A log line of a refused message or request with this reason; `since` is an index into logs. */
  refusedLog(reason, since = 0) {
    const matches = (entry) => entry.event === 'refused' && entry.reason === reason;
    return this.waitForLog(matches, `a logged refusal for ${reason}`, { since });
  }

  /** A recording client, already established. See ws_client.mjs for the options. */
  connect(options = {}) {
    return connectClient(this, options);
  }

  /** A signed request to the HTTP API. See http_client.mjs for the options. */
  request(method, path_in_app, options = {}) {
    return signedRequest(this, method, path_in_app, options);
  }

  /** Publishes one event and asserts that it was taken. */
  async publish(channels, name, data, extra = {}) {
    const list = Array.isArray(channels) ? channels : [channels];
    const response = await this.request('POST', '/events', { body: { name, channels: list, data, ...extra } });
    assert.equal(response.status, 200, response.text);
    return response.json;
  }

  /** {epoch, events}: all that the history of a channel holds, page by page. */
  async history(channel) {
    const events = [];
    for (let after = 0; ;) {
      const { json } = await this.request('GET', `/channels/${channel}/history`, { query: { after, limit: 1000 } });
      events.push(...json.events);
      if (!json.more) return { epoch: json.epoch, events };
      after = json.events.at(-1).offset;
    }
  }

  /** The official npm client of the HTTP API. */
  api(app = this.app) {
    const Pusher = require('pusher');
    return new Pusher({
      appId: app.id,
      key: app.key,
      secret: app.secret,
      host: this.host,
      port: String(this.port),
      useTLS: false,
      timeout: kWaitMs,
    });
  }

  /** Drops every client that was opened through connect(). */
  closeClients() {
    for (const client of this.clients) client.terminate();
  }

  /** SIGTERM; the server must end with exit code 0 and sanitizers must have kept silent. */
  async stop({ timeout_ms = kWaitMs } = {}) {
    this.closeClients();
    this.child.stdin?.end();
    if (!this.ended) this.child.kill('SIGTERM');
    const how = await this.#wait_exit(timeout_ms);
    this.#remove_files();
    const complaint = this.stray.findIndex((line) => kSanitizer.test(line));
    assert.ok(complaint < 0, `sanitizer output:\n${this.stray.slice(Math.max(complaint, 0)).join('\n')}`);
    assert.deepEqual(how, { code: 0, signal: null }, `exit of the server; stderr:\n${this.stray.join('\n')}`);
    assert.deepEqual(this.violations, [], 'string rules of the protocol');
  }

  /** SIGKILL, as a crash would end it. */
  async kill9() {
    if (!this.ended) this.child.kill('SIGKILL');
    await this.#wait_exit(kWaitMs);
    this.closeClients();
    this.#remove_files();
  }

  async #wait_exit(timeout_ms) {
    let timer;
    const late = new Promise((resolve, reject) => {
      timer = setTimeout(() => {
        this.child.kill('SIGKILL');
        reject(new Error(`server did not end within ${timeout_ms} ms`));
      }, timeout_ms);
    });
    try {
      const how = await Promise.race([this.exited, late]);
      await Promise.race([this.drained, late]);
      return how;
    } finally {
      clearTimeout(timer);
    }
  }

  #remove_files() {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/**
 * Starts a server and resolves when it has logged `"event":"ready"`.
 * Options: apps, server, http, limits, log, tls, metrics, health, socketio (tables of the configuration file), port (default: picked by the kernel),
 * env (additional environment), args (more arguments of `kilat serve`), program ({file, args}: another program that has
 * the server inside, and takes the configuration file as its first argument; its standard input is a pipe).
 */
export async function startServer(options = {}) {
  const binary = options.program ? options.program.file : kBinary;
  assert.ok(existsSync(binary), `no server at ${binary}: build it, or set KILAT_BIN`);
  const directory = mkdtempSync(path.join(tmpdir(), 'kilat-conformance-'));
  const file = path.join(directory, 'kilat.toml');
  writeFileSync(file, configText(options));
  const args = options.program ? [file, ...options.program.args] : ['serve', '--config', file, ...(options.args ?? [])];
  const child = endWithFile(spawn(binary, args, {
    cwd: directory,
    env: { ...process.env, ...options.env },
    stdio: [options.program ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  }));
  const server = new Server(child, directory, options);
  child.once('error', (error) => server.stray.push(String(error)));
  try {
    const ready = await server.waitForLog((line) => line.event === 'ready', 'the server to be ready');
    server.port = Number(ready.port);
    server.metrics_port = Number(ready.metrics_port);
    server.addresses = ready.listen.split(', ');
  } catch (error) {
    await server.kill9();
    throw new Error(`${error.message}\n${server.stray.join('\n')}`);
  }
  assert.ok(server.port > 0, 'the ready line names the port');
  return server;
}
