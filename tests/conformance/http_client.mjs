// Signed requests to the HTTP API, written from the protocol and independent of any SDK, so that a test can break any
// single part of the signature. No state.
import { createHash, createHmac } from 'node:crypto';
import http from 'node:http';

/** Lower-case hex HMAC-SHA256. */
export function hmac(secret, text) {
  return createHmac('sha256', secret).update(text).digest('hex');
}

export function md5(bytes) {
  return createHash('md5').update(bytes).digest('hex');
}

/** The text under an API signature: method, path, then all parameters by lower-cased key with their raw values. */
export function stringToSign(method, path, params) {
  const pairs = Object.entries(params)
    .filter(([key]) => key.toLowerCase() !== 'auth_signature')
    .map(([key, value]) => [key.toLowerCase(), value])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  return `${method.toUpperCase()}\n${path}\n${pairs.join('&')}`;
}

/** `auth` of a channel subscription or, with channel '' and '::user::', see signinAuth. */
export function channelAuth(app, socket_id, channel, channel_data) {
  const text = channel_data === undefined ? `${socket_id}:${channel}` : `${socket_id}:${channel}:${channel_data}`;
  return `${app.key}:${hmac(app.secret, text)}`;
}

export function signinAuth(app, socket_id, user_data) {
  return `${app.key}:${hmac(app.secret, `${socket_id}::user::${user_data}`)}`;
}

/** Seconds since 1970 as the API wants them. */
export function unixTime(offset_s = 0) {
  return String(Math.floor(Date.now() / 1000) + offset_s);
}

/**
 * The query of a signed request, in the order a PHP client uses: signature last.
 * Options: query (signed), override (set after signing), path (the signed one), timestamp, key, secret, version.
 */
export function signedParams(app, method, path, body, options = {}) {
  const params = {
    auth_key: options.key ?? app.key,
    auth_timestamp: options.timestamp ?? unixTime(),
    auth_version: options.version ?? '1.0',
  };
  if (body !== undefined && body.length > 0) params.body_md5 = md5(body);
  Object.assign(params, options.query);
  const signature = hmac(options.secret ?? app.secret, stringToSign(method, options.path ?? path, params));
  return { ...params, auth_signature: signature, ...options.override };
}

export function encodeQuery(params) {
  return Object.entries(params)
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .join('&');
}

/** One request as it is. Resolves with {status, headers, bytes, text, json}; json is undefined when the body is none. */
export function send(server, method, target, { body, headers = {}, agent } = {}) {
  return new Promise((resolve, reject) => {
    const options = { host: server.host, port: server.port, method, path: target, headers: { ...headers }, agent };
    if (body !== undefined) {
      options.headers['Content-Type'] ??= 'application/json';
      options.headers['Content-Length'] ??= Buffer.byteLength(body);
    }
    const request = http.request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString('utf8');
        let json;
        try {
          json = JSON.parse(text);
        } catch {
          json = undefined;
        }
        resolve({ status: response.statusCode, headers: response.headers, bytes, text, json });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/**
 * A signed request below /apps/{id}. `body` may be a string, a Buffer or a value that becomes JSON.
 * Options beside those of signedParams: app, appId (in the path), prefix (before /apps on the wire, not signed),
 * signPrefix (sign the prefix too), sentBody (what goes over the wire instead of the signed body), headers, agent, encode.
 */
export function request(server, method, path_in_app, options = {}) {
  const app = options.app ?? server.app;
  const path = `/apps/${options.appId ?? app.id}${path_in_app}`;
  const prefix = options.prefix ?? server.prefix;
  let { body } = options;
  if (body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)) body = JSON.stringify(body);
  const signed_path = options.signPrefix ? `${prefix}${path}` : path;
  const params = signedParams(app, method, signed_path, body, options);
  const query = (options.encode ?? encodeQuery)(params);
  return send(server, method, `${prefix}${path}?${query}`, {
    body: options.sentBody ?? body,
    headers: options.headers,
    agent: options.agent,
  });
}
