// Tokens (JWT) for tests, made with Node's own cryptography and nothing of the server's.
import { createHmac, createSign } from 'node:crypto';

export const kJwtSecret = 'a secret of at least thirty-two bytes';

function part(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

export function unixNow(offset_s = 0) {
  return Math.floor(Date.now() / 1000) + offset_s;
}

/** A token with `claims`; HS256 unless a PEM `key` and another `alg` say otherwise. exp is an hour away unless given. */
export function token(claims, { secret = kJwtSecret, alg = 'HS256', key, header = {} } = {}) {
  const text = `${part({ alg, typ: 'JWT', ...header })}.${part({ exp: unixNow(3600), ...claims })}`;
  if (alg === 'none') return `${text}.`;
  if (alg.startsWith('HS')) return `${text}.${createHmac(`sha${alg.slice(2)}`, secret).update(text).digest('base64url')}`;
  const signer = createSign(`sha${alg.slice(2)}`).update(text);
  const options = alg.startsWith('ES') ? { key, dsaEncoding: 'ieee-p1363' } : key;
  return `${text}.${signer.sign(options).toString('base64url')}`;
}
