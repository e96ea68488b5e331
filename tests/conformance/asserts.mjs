// Assertions on refusals and closes. Each one compares what the client saw, what the server logged and the row of the
// table of reasons. `id` may be an array where the specification leaves room for several rows.
import assert from 'node:assert/strict';

import { reasonRow } from './harness.mjs';

function pick(id, actual, what) {
  const ids = Array.isArray(id) ? id : [id];
  assert.ok(ids.includes(actual), `${what}: reason "${actual}", expected ${ids.join(' or ')}`);
  return actual;
}

/** Checks one pusher:error frame; `code` overrides the code of the row. Returns the reason id. */
export function checkErrorFrame(frame, id, { code } = {}) {
  assert.equal(frame.event, 'pusher:error');
  assert.equal(typeof frame.data, 'object', 'data of pusher:error is an object');
  const reason = pick(id, frame.data.reason, 'pusher:error');
  const expected = code === undefined ? reasonRow(reason).pusher_code : code;
  assert.equal(frame.data.code, expected, `code of ${reason}`);
  assert.equal(typeof frame.data.message, 'string');
  assert.notEqual(frame.data.message, '');
  return reason;
}

/** Waits for a pusher:error of this reason from frame index `from` on, and for its log line. */
export async function expectError(client, id, { from = 0, code } = {}) {
  const ids = Array.isArray(id) ? id : [id];
  const frame = await client.waitFor((f) => f.event === 'pusher:error' && ids.includes(f.data?.reason), {
    from,
    what: `pusher:error for ${ids.join(' or ')}`,
  });
  const reason = checkErrorFrame(frame, id, { code });
  if (reasonRow(reason).close_code === 0) await client.server.refusedLog(reason);
  return frame;
}

/** Waits for the subscription_error of `channel`. `type` and `status` are checked when given. The socket stays open. */
export async function expectSubscriptionError(client, channel, id, { from = 0, type, status } = {}) {
  const frame = await client.waitFor((f) => f.event === 'pusher:subscription_error' && f.channel === channel, {
    from,
    what: `subscription_error of ${channel}`,
  });
  const reason = pick(id, frame.data.reason, `subscription_error of ${channel}`);
  assert.equal(reasonRow(reason).close_code, 0, `${reason} does not close`);
  assert.equal(typeof frame.data.type, 'string');
  assert.equal(typeof frame.data.error, 'string');
  if (type !== undefined) assert.equal(frame.data.type, type);
  if (status !== undefined) assert.equal(frame.data.status, status);
  await client.server.refusedLog(reason);
  await client.ping();
  assert.equal(
    client.frames.slice(from).some((f) => f.event === 'pusher_internal:subscription_succeeded' && f.channel === channel),
    false,
    'a refused subscription has no success',
  );
  return frame;
}

/** A subscription refused for its signature: type AuthError, status 401. */
export function expectAuthError(client, channel, id, options = {}) {
  return expectSubscriptionError(client, channel, id, { type: 'AuthError', status: 401, ...options });
}

/**
 * Waits for the close of an established or refused connection and checks the error frame before it (where the row has a
 * Pusher code), the code of the close frame and the log. `code` overrides both codes of the row.
 */
export async function expectClose(client, id, { code, since = 0 } = {}) {
  const closed = await client.waitClose();
  const ids = Array.isArray(id) ? id : [id];
  const error = client.frames.find((f) => f.event === 'pusher:error' && ids.includes(f.data?.reason));
  const line = await client.server.waitForLog(
    (entry) =>
      entry.event === 'connection_closed' &&
      (client.socket_id ? entry.socket_id === client.socket_id : ids.includes(entry.reason)),
    `the close for ${ids.join(' or ')}`,
    { since },
  );
  const reason = pick(id, line.reason, 'connection_closed');
  const row = reasonRow(reason);
  assert.equal(closed.code, code ?? row.close_code, `close code of ${reason}`);
  if (row.pusher_code !== 0) {
    assert.ok(error, `pusher:error before the close for ${reason}`);
    checkErrorFrame(error, id, { code });
    assert.equal(client.frames.at(-1), error, 'nothing follows the error');
  }
  return { closed, error, line };
}

/** Checks an HTTP refusal against its row and its log line. Returns the reason id. */
export async function expectHttpError(server, response, id, { httpStatus } = {}) {
  assert.equal(typeof response.json, 'object', `JSON body, not: ${response.text}`);
  const reason = pick(id, response.json.reason, `HTTP ${response.status}`);
  const row = reasonRow(reason);
  assert.equal(response.status, row.http_status, `status of ${reason}`);
  if (httpStatus !== undefined) assert.equal(response.status, httpStatus);
  assert.equal(response.json.code, response.status, 'code repeats the status');
  assert.equal(typeof response.json.error, 'string');
  assert.notEqual(response.json.error, '');
  await server.refusedLog(reason);
  return reason;
}
