// Every kind of channel, every rule, every identity, on both protocols and at the authorization endpoint, against a small
// reference model of docs/rules.md: who may read, who may publish, who sees the members, and which row says no.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { eventually, reasonRow, startServer } from './harness.mjs';
import { channelAuth, send } from './http_client.mjs';
import { closeSioClients, sioCall, sioConnected } from './sio_clients.mjs';
import { kJwtSecret, token } from './tokens.mjs';

const kKinds = [
  '',
  'cache-',
  'private-',
  'private-cache-',
  'private-encrypted-',
  'private-encrypted-cache-',
  'presence-',
  'presence-cache-',
];
const kNames = [
  'open', 'members', 'room.7', 'room.8', 'room.7.more', 'org.acme.news', 'org.other.news', 'both', 'either', 'closed',
  'only.a', 'free', 'openly',
];
const kWho = {
  nobody: null,
  seven: { sub: '7', org: 'acme' },
  writer: { sub: '8', roles: ['writer'] },
  admin: { sub: '1', roles: ['admin', 'writer'], org: ['acme', 'third'] },
};

// --- the model

const has = (list, value) => [list ?? []].flat().includes(value);
const role = (name) => (who) => has(who.roles, name);
const anybody = () => true;
anybody.of_all = true; // nobody has to be signed in
const noone = () => false;
noone.of_none = true; // no user could help

/** The rules as the server gets them, each beside what it means. */
const kRules = [
  { text: 'open subscribe=anonymous publish=anonymous', fits: /^open$/, subscribe: anybody, publish: anybody },
  {
    text: 'members subscribe=authenticated publish=role:writer presence=role:admin',
    fits: /^members$/,
    subscribe: () => true,
    publish: role('writer'),
    presence: role('admin'),
  },
  {
    text: 'room.{id} subscribe=user:{id}|role:admin publish=user:{id}',
    fits: /^room\.([^.]+)$/,
    subscribe: (who, [, id]) => who.sub === id || has(who.roles, 'admin'),
    publish: (who, [, id]) => who.sub === id,
  },
  { text: 'room.* subscribe=anonymous', fits: /^room\..*$/, subscribe: anybody },
  {
    text: 'org.{o}.* subscribe=claim:org={o} publish=authenticated&claim:org={o}',
    fits: /^org\.([^.]+)\..*$/,
    subscribe: (who, [, org]) => has(who.org, org),
    publish: (who, [, org]) => has(who.org, org),
  },
  {
    text: 'both subscribe=role:writer&claim:org=acme',
    fits: /^both$/,
    subscribe: (who) => has(who.roles, 'writer') && has(who.org, 'acme'),
  },
  {
    text: 'either subscribe=(none|role:admin)|user:8',
    fits: /^either$/,
    subscribe: (who) => has(who.roles, 'admin') || who.sub === '8',
  },
  { text: 'closed subscribe=none publish=none', fits: /^closed$/, subscribe: noone, publish: noone },
  { text: 'private-only.{x} subscribe=authenticated', whole: true, fits: /^private-only\.[^.]+$/, subscribe: () => true },
];

/** null: no rule speaks of it; else '' or the row that refuses. */
function byRule(action, { kind, name }, who) {
  for (const rule of kRules) {
    const match = rule.fits.exec(rule.whole ? kind + name : name);
    if (!match || !rule[action]) continue;
    const may = rule[action];
    if (may.of_all || (who && may(who, match))) return '';
    return who || may.of_none ? 'rule_refused' : 'rule_needs_user';
  }
  return null;
}

const isPublic = ({ kind }) => kind === '' || kind === 'cache-';
const isPresence = ({ kind }) => kind.startsWith('presence-');
const isEncrypted = ({ kind }) => kind.startsWith('private-encrypted-');

function mayRead(channel, who) {
  const verdict = byRule('subscribe', channel, who);
  if (verdict === null) return isPublic(channel) ? '' : 'channel_auth_invalid';
  return verdict === '' && isPresence(channel) && !who ? 'rule_needs_user' : verdict;
}

function mayPublish(channel, who) {
  const verdict = byRule('publish', channel, who);
  if (verdict) return verdict;
  if (verdict === null && (isPublic(channel) || isEncrypted(channel))) return 'client_event_channel_refused';
  return mayRead(channel, who) === '' ? '' : 'client_event_not_subscribed';
}

const seesMembers = (channel, who) => !byRule('presence', channel, who);

/** The status of the authorization endpoint. */
function endpointStatus(channel, who) {
  if (!who) return 401;
  return !isEncrypted(channel) && byRule('subscribe', channel, who) === '' ? 200 : 403;
}

const kChannels = kKinds.flatMap((kind) => kNames.map((name) => ({ kind, name, full: kind + name })));

// --- the server

describe('decision matrix', () => {
  let server;
  let target;
  let witness; // reads whatever somebody of kWho could read
  before(async () => {
    server = await startServer({
      apps: [{ jwt_secret: kJwtSecret, rules: kRules.map(({ text }) => text), client_events_per_second: 100_000 }],
    });
    target = { host: server.host, port: server.port, path: '/socket.io/', server, app: server.app };
    witness = await server.connect({ headers: { Authorization: `Bearer ${token({ ...kWho.admin, sub: 'witness' })}` } });
    for (const channel of kChannels) {
      if (isPublic(channel) && mayRead(channel, { ...kWho.admin, sub: 'witness' }) !== '') continue;
      if (isPresence(channel)) await witness.join(channel.full, 'witness', {});
      else await witness.subscribe(channel.full);
    }
  });
  after(async () => {
    closeSioClients();
    await server?.stop();
  });

  const bearer = (who) => (who ? { Authorization: `Bearer ${token(who)}` } : {});

  /** Asserts that nothing differs, and that all rows exist. */
  function agree(seen, expected) {
    const differing = [...expected].filter(([key, value]) => seen.get(key) !== value);
    assert.deepEqual(differing.map(([key, value]) => `${key}: ${seen.get(key)}, not ${value}`), []);
    for (const value of new Set(seen.values())) if (/_/.test(value)) reasonRow(value);
  }

  /** What the witness gets is what was not refused. */
  async function checkWitness(prefix, who) {
    const wanted = kChannels.filter((channel) => mayPublish(channel, who) === '').map(({ full }) => `${full} ${prefix}${full}`);
    const passed = () => witness.frames.filter((frame) => frame.event.startsWith(prefix)).map((frame) => `${frame.channel} ${frame.event}`);
    await eventually(() => passed().length >= wanted.length, 'the events that were not refused');
    assert.deepEqual(passed().sort(), wanted.sort());
  }

  for (const [title, who] of Object.entries(kWho)) {
    it(`Pusher, ${title}`, async () => {
      const client = await server.connect({ headers: bearer(who) });
      if (who) await client.waitFor('pusher:signin_success');
      const read = new Map();
      const members = new Map();
      for (const { full } of kChannels) {
        const from = client.frames.length;
        client.send({ event: 'pusher:subscribe', data: { channel: full } });
        const frame = await client.waitFor(
          (one) => one.channel === full && /subscription_(succeeded|error)$/.test(one.event),
          { from, what: `the answer for ${full}` },
        );
        const refused = frame.event === 'pusher:subscription_error';
        read.set(full, refused ? frame.data.reason : '');
        if (!refused && full.startsWith('presence-')) {
          members.set(full, JSON.parse(frame.data).presence.ids.includes('witness'));
        }
      }
      agree(read, new Map(kChannels.map((channel) => [channel.full, mayRead(channel, who)])));
      for (const channel of kChannels.filter(({ full }) => members.has(full))) {
        assert.equal(members.get(channel.full), seesMembers(channel, who), `members of ${channel.full}`);
      }
      const prefix = `client-pusher-${title}-`;
      const published = new Map();
      for (const { full } of kChannels) {
        const from = client.frames.length;
        client.trigger(`${prefix}${full}`, full, {});
        await client.ping();
        const error = client.frames.slice(from).find((frame) => frame.event === 'pusher:error');
        published.set(full, error ? error.data.reason : '');
      }
      agree(published, new Map(kChannels.map((channel) => [channel.full, mayPublish(channel, who)])));
      await checkWitness(prefix, who);
      client.terminate();
    });

    it(`Socket.IO, ${title}`, async () => {
      const socket = await sioConnected(target, { transports: ['websocket'], auth: who ? { token: token(who) } : {} });
      const read = new Map();
      const members = new Map();
      for (const { full } of kChannels) {
        const answer = await sioCall(socket, 'subscribe', full);
        read.set(full, answer.ok ? '' : answer.error);
        if (answer.ok && full.startsWith('presence-')) members.set(full, JSON.stringify(answer).includes('"witness"'));
      }
      agree(read, new Map(kChannels.map((channel) => [channel.full, mayRead(channel, who)])));
      for (const channel of kChannels.filter(({ full }) => members.has(full))) {
        assert.equal(members.get(channel.full), seesMembers(channel, who), `members of ${channel.full}`);
      }
      const prefix = `client-sio-${title}-`;
      const published = new Map();
      for (const { full } of kChannels) {
        const answer = await sioCall(socket, 'publish', { channel: full, event: `${prefix}${full}`, data: {} });
        published.set(full, answer.ok ? '' : answer.error);
      }
      agree(published, new Map(kChannels.map((channel) => [channel.full, mayPublish(channel, who)])));
      await checkWitness(prefix, who);
      socket.disconnect();
    });

    it(`the authorization endpoint, ${title}`, async () => {
      const seen = new Map();
      for (const { full } of kChannels) {
        const response = await send(server, 'POST', '/broadcasting/auth', {
          body: new URLSearchParams({ socket_id: '1.2', channel_name: full }).toString(),
          headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...bearer(who) },
        });
        seen.set(full, response.status);
        if (response.status !== 200) continue;
        const { auth, channel_data } = JSON.parse(response.text);
        assert.equal(auth, channelAuth(server.app, '1.2', full, channel_data), full);
        assert.equal(channel_data && JSON.parse(channel_data).user_id, full.startsWith('presence-') ? who.sub : undefined);
      }
      agree(seen, new Map(kChannels.map((channel) => [channel.full, endpointStatus(channel, who)])));
    });
  }
});
