// The Socket.IO server under test: a kilat process, seen through the few things the tests need of it. Another server can
// stand in to check the tests themselves: KILAT_SIO_TARGET names a module with a startTarget() like the one here, whose
// targets have `reference` set.
// Owner: the test file that called startTarget(); it must end the target with stop().
import assert from 'node:assert/strict';
import http from 'node:http';
import { pathToFileURL } from 'node:url';

import { reasonRow, startServer } from './harness.mjs';
import { signinAuth } from './http_client.mjs';

const other_target = process.env.KILAT_SIO_TARGET;

/** True when not Kilat is under test. */
export const kReference = other_target !== undefined;

/** Options of a test that holds for Kilat only. */
export const kOurs = Object.freeze({ skip: kReference });

/** What the official protocol suites ask for; the short timers make every wait of a suite short. */
export const kSuiteSettings = Object.freeze({
  protocol_suite: true,
  ping_interval_ms: 300,
  ping_timeout_ms: 200,
  connect_timeout_ms: 1000,
});

class KilatTarget {
  constructor(server, settings) {
    this.reference = false;
    this.server = server;
    this.settings = settings;
    this.host = server.host;
    this.port = server.port;
    this.prefix = server.prefix;
    this.app = server.app;
    this.path = settings.path ?? '/socket.io/';
    // Requests of one connection are handled by one shard, in order: what one of them emits to a socket stays in order.
    this.ordered = new http.Agent({ keepAlive: true, maxSockets: 1 });
  }

  /** A request to /apps/ID/socketio/…; resolves with the whole answer. */
  request(method, what, options) {
    return this.server.request(method, `/socketio/${what}`, options);
  }

  async #post(what, body, options = {}) {
    // One that waits for acknowledgements would hold up the others.
    const agent = body.ack_timeout_ms ? false : this.ordered;
    const response = await this.request('POST', what, { body, agent, ...options });
    assert.equal(response.status, 200, response.text);
    return response.json;
  }

  /** Emits and asserts that it was taken; the fields are those of the emit API. */
  emit(body, options) {
    return this.#post('emit', body, options);
  }

  join(body) {
    return this.#post('join', body);
  }

  leave(body) {
    return this.#post('leave', body);
  }

  disconnect(body) {
    return this.#post('disconnect', body);
  }

  /** A GET below /socketio, for example get('sockets', {namespace: '/'}). */
  async get(what, query = {}) {
    const response = await this.request('GET', what, { query });
    assert.equal(response.status, 200, response.text);
    return response.json;
  }

  async stop() {
    this.ordered.destroy();
    // Whatever ended a connection must be a row of the table.
    for (const reason of this.server.closedReasons()) reasonRow(reason);
    await this.server.stop();
  }
}

async function startKilat(options = {}) {
  return new KilatTarget(await startServer(options), options.socketio ?? {});
}

/** Starts a target. The options are those of startServer(); `socketio` is the table of that name. */
export const startTarget = kReference ? (await import(pathToFileURL(other_target))).startTarget : startKilat;

/** The argument of `signin` for this socket. */
export function signinArgument(app, socket_id, user) {
  const user_data = JSON.stringify(user);
  return { auth: signinAuth(app, socket_id, user_data), user_data };
}
