// Apps in the database: `kilat apps` changes the file, a reload has the server follow, and during a rotation two secrets
// are valid.
import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { checkErrorFrame, expectAuthError, expectClose, expectHttpError } from './asserts.mjs';
import { folder, kilat } from './cli_tool.mjs';
import { configText, eventually, kApp, reasonRow, startServer } from './harness.mjs';

describe('apps in the database', () => {
  let server;
  const run = (...words) => kilat(['apps', ...words, '--config', 'kilat.toml'], { cwd: server.directory });
  const change = (...words) => run(...words, '--reload', '--pid', String(server.child.pid));
  const good = (outcome) => {
    assert.equal(outcome.code, 0, outcome.err + outcome.out);
    return outcome;
  };
  /** Adds an app with fresh credentials; what the tests' clients need of it. */
  const add = (id, ...words) => ({ ...kApp, ...JSON.parse(good(change('add', id, '--json', ...words)).out) });
  const connect = (app, more = {}) => server.connect({ app, key: app.key, ...more });
  const channels = (app) => server.request('GET', '/channels', { app });
  /** Whether a client whose backend signs with `app.secret` may join a private channel. */
  const joins = async (app) => {
    const client = await connect(app);
    await client.subscribe('private-room');
    client.terminate();
  };

  before(async () => {
    server = await startServer({});
    // apps.database is followed live, so the server need not know it from the start.
    writeFileSync(path.join(server.directory, 'kilat.toml'), `${configText({})}\n[apps]\ndatabase = "kilat.db"\n`);
  });
  after(() => server?.stop());

  it('an app that is added can be used after the reload, with its settings', async () => {
    const added = good(change('add', '--set', 'max_connections=1', '--set', 'event_bytes_max=1KiB', 'shop'));
    assert.match(added.out, /^app shop added to .*\/kilat\.db\n {2}id {8}shop\n {2}key {7}kd_[0-9a-f]{10}\n/);
    assert.match(added.out, /\n {2}secret {4}ks_[0-9a-f]{32}\n/);
    assert.match(added.out, /\nreload: \d changes? applied: .*app\.shop added/);
    const shown = JSON.parse(good(run('show', 'shop', '--secret', '--json')).out);
    assert.ok(added.out.includes(shown.secret));
    assert.equal(statSync(path.join(server.directory, 'kilat.db')).mode & 0o777, 0o600);

    const app = { ...kApp, ...shown };
    const client = await connect(app);
    await client.subscribe('private-room');
    const answer = await server.request('POST', '/events', {
      app,
      body: { name: 'e', channels: ['private-room'], data: 'x' },
    });
    assert.equal(answer.status, 200, answer.text);
    await client.waitFor('e');
    const second = await connect(app, { established: false });
    await expectClose(second, 'app_over_quota');
    good(change('set', 'shop', 'max_connections=2'));
    (await connect(app)).terminate();
    client.terminate();
  });

  it('before the reload the server does not know it, and the command says what to do', async () => {
    const added = good(run('add', 'later'));
    assert.match(added.out, /\nnext: kilat reload {3}\(the running server does not know yet\)\n$/);
    const key = /key\s+(\S+)/.exec(added.out)[1];
    const client = await server.connect({ key, established: false });
    await expectClose(client, 'app_unknown');
    good(change('remove', 'later', '--yes'));
  });

  it('secrets are masked in lists, and never in the log of the server', async () => {
    const app = add('masked', '--secret', 'canary-masked-secret');
    const list = good(run('list')).out;
    assert.match(list, /^ID +KEY +SECRET +STATE +CREATED +SETTINGS\n/);
    assert.match(list, new RegExp(`\\nmasked +${app.key} +… +enabled +\\d{4}-`));
    for (const words of [['list'], ['list', '--json'], ['show', 'masked'], ['show', 'masked', '--json']]) {
      assert.doesNotMatch(good(run(...words)).out, /canary/, words.join(' '));
    }
    assert.match(good(run('show', 'masked', '--secret')).out, /secret +canary-masked-secret\n/);
    assert.ok(JSON.parse(good(run('list', '--json')).out).some((entry) => entry.id === 'masked'));
    good(change('rotate', 'masked'));
    assert.doesNotMatch(JSON.stringify(server.logs) + server.stray.join(), /canary-masked/);
    good(change('remove', 'masked', '--yes'));
  });

  it('during a rotation both secrets sign requests, channels and sign-ins', async () => {
    const old = add('turning');
    const before_it = await connect(old);
    await before_it.subscribe('private-room');
    const rotated = JSON.parse(good(change('rotate', 'turning', '--keep', '1h', '--json')).out);
    assert.equal(rotated.previous_secret, old.secret);
    assert.notEqual(rotated.secret, old.secret);
    for (const secret of [old.secret, rotated.secret]) {
      const app = { ...old, secret };
      assert.equal((await channels(app)).status, 200);
      await joins(app);
      const client = await connect(app);
      await client.signin({ id: 'user-1' });
      client.terminate();
    }
    const wrong = { ...old, secret: 'neither' };
    await expectHttpError(server, await channels(wrong), 'api_signature_invalid');
    const client = await connect(wrong);
    client.sendSubscribe('private-room');
    await expectAuthError(client, 'private-room', 'channel_auth_invalid');
    client.terminate();
    await before_it.ping();
    before_it.terminate();
  });

  it('after its time the old secret is refused without another reload; the new one goes on', async () => {
    const old = add('ending');
    const rotated = { ...old, ...JSON.parse(good(change('rotate', 'ending', '--keep', '1s', '--json')).out) };
    await eventually(async () => (await channels(old)).status === 401, 'the end of the old secret');
    const client = await connect(old);
    client.sendSubscribe('private-room');
    await expectAuthError(client, 'private-room', 'channel_auth_invalid');
    client.terminate();
    assert.equal((await channels(rotated)).status, 200);
    await joins(rotated);
  });

  it('--keep 0 ends the old secret at once', async () => {
    const old = add('leaked');
    const rotated = { ...old, ...JSON.parse(good(change('rotate', 'leaked', '--keep', '0', '--json')).out) };
    assert.equal(rotated.previous_secret, undefined);
    await expectHttpError(server, await channels(old), 'api_signature_invalid');
    assert.equal((await channels(rotated)).status, 200);
  });

  it('a previous secret in the configuration file does the same', async () => {
    const file = path.join(server.directory, 'kilat.toml');
    const database = '\n[apps]\ndatabase = "kilat.db"\n';
    const reload = () => good(kilat(['reload', '--pid', String(server.child.pid)], { cwd: server.directory }));
    writeFileSync(file, configText({ apps: [{ secret: 'fresh', previous_secret: kApp.secret }] }) + database);
    reload();
    assert.equal((await channels(kApp)).status, 200);
    assert.equal((await channels({ ...kApp, secret: 'fresh' })).status, 200);
    writeFileSync(file, configText({ apps: [{ secret: 'fresh' }] }) + database);
    reload();
    assert.equal((await channels(kApp)).status, 401);
    writeFileSync(file, configText({}) + database);
    reload();
    assert.equal((await channels(kApp)).status, 200);
  });

  it('an app that is disabled loses its connections and is refused until it is enabled', async () => {
    const app = add('paused');
    const staying = await server.connect();
    const client = await connect(app);
    const out = good(change('disable', 'paused')).out;
    assert.match(out, /^app paused is disabled\n[^]*reload: 1 change applied: app\.paused\.enabled true -> false\n/);
    await expectClose(client, 'app_disabled');
    const refused = await connect(app, { established: false });
    await expectClose(refused, 'app_disabled');
    // Error and close code of a disabled app in the Pusher protocol.
    assert.equal(reasonRow('app_disabled').close_code, 4003);
    checkErrorFrame(refused.frames[0], 'app_disabled', { code: 4003 });
    await expectHttpError(server, await channels(app), 'api_app_disabled');
    await staying.ping();
    staying.terminate();
    good(change('enable', 'paused'));
    await joins(app);
  });

  it('an app that is removed is gone, with its connections, and its id can be used again', async () => {
    const app = add('short');
    const client = await connect(app);
    const asked = run('remove', 'short');
    assert.equal(asked.code, 1);
    assert.match(asked.err, /nothing was removed.*\n.*\n {2}try {3}kilat apps remove short --yes\n/);
    await client.ping();
    good(change('remove', 'short', '--yes'));
    await expectClose(client, 'app_unknown');
    assert.equal((await channels(app)).status, 404);
    const again = add('short');
    assert.notEqual(again.key, app.key);
    await joins(again);
    assert.equal((await channels({ ...again, secret: app.secret })).status, 401);
  });

  it('a change that the server cannot use is refused by the command, and leaves everything as it was', async () => {
    for (const [words, message] of [
      [['add', 'app-id'], /it has the same id\n {2}at {4}app app-id of the configuration file\n/],
      [['add', 'other', '--key', kApp.key], /it has the same key/],
      [['add', 'a/b'], /app\.id/],
      [['add', 'other', '--set', 'max_conections=5'], /no setting of an app is called "max_conections"/],
      [['add', 'other', '--set', 'event_bytes_max=1GiB'], /the largest allowed is 16MiB/],
      [['add', 'other', '--set', 'linger'], /linger is not name=value/],
      [['rotate', 'nobody'], /no app is called nobody/],
      [['rotate', 'short', '--keep', 'soon'], /--keep soon is not a time/],
      [['disable', 'nobody'], /no app is called nobody/],
    ]) {
      const outcome = change(...words);
      assert.equal(outcome.code, 1, words.join(' '));
      assert.match(outcome.err, message);
    }
    assert.equal((await channels(kApp)).status, 200);
  });

  it('the same id in the file and in the database stops the reload, with both places and what to do', async () => {
    const file = path.join(server.directory, 'kilat.toml');
    const plain = `${configText({})}\n[apps]\ndatabase = "kilat.db"\n`;
    add('twice');
    writeFileSync(file, `${plain}[[app]]\nid = "twice"\nkey = "k2"\nsecret = "s2"\n`);
    const outcome = kilat(['reload', '--pid', String(server.child.pid)], { cwd: server.directory });
    assert.equal(outcome.code, 1);
    assert.match(outcome.err, /kilat\.db, app twice: error: this id is also in .*kilat\.toml:\d+:6, of app "twice"/);
    assert.match(outcome.err, /try {3}kilat apps remove twice --yes/);
    writeFileSync(file, plain);
    good(change('remove', 'twice', '--yes'));
  });

  it('a damaged or missing database stops the reload, and every app stays as it is', async () => {
    const app = add('kept');
    const client = await connect(app);
    const file = path.join(server.directory, 'kilat.toml');
    writeFileSync(path.join(server.directory, 'broken.db'), 'x'.repeat(8192));
    for (const [name, cause] of [
      ['broken.db', /broken\.db: error: cannot use the database of apps: it is not a SQLite database/],
      ['missing.db', /missing\.db: error: cannot use the database of apps: No such file.*\n {2}try {3}kilat apps add NAME/],
    ]) {
      writeFileSync(file, `${configText({})}\n[apps]\ndatabase = "${name}"\n`);
      const outcome = kilat(['reload', '--pid', String(server.child.pid)], { cwd: server.directory });
      assert.equal(outcome.code, 1);
      assert.match(outcome.err, cause);
    }
    await client.ping();
    assert.equal((await channels(app)).status, 200);
    client.terminate();
  });
});

describe('kilat apps without a database in the configuration', () => {
  it('says how to name one, and --db is enough to begin', async (t) => {
    const server = await startServer({});
    t.after(() => server.stop());
    const asked = kilat(['apps', 'list', '--config', 'kilat.toml'], { cwd: server.directory });
    assert.equal(asked.code, 1);
    assert.match(asked.err, /the configuration names no database of apps\n {2}at {4}kilat\.toml\n {2}try .*\[apps\]/);
    const added = kilat(['apps', 'add', '--id', 'shop', '--db', 'own.db', '--config', 'kilat.toml'], {
      cwd: server.directory,
    });
    assert.equal(added.code, 0, added.err);
    assert.match(added.out, /note: the configuration does not name this file: \[apps\] database = ".*own\.db"/);
    const listed = kilat(['apps', 'list', '--db', 'own.db'], { cwd: server.directory });
    assert.match(listed.out, /\nshop /);
  });

  it('a server that has nothing but a database serves its apps', async (t) => {
    const file = path.join(folder(t), 'kilat.db');
    const added = kilat(['apps', 'add', 'only', '--db', file, '--json'], { cwd: path.dirname(file) });
    assert.equal(added.code, 0, added.err);
    const app = { ...kApp, ...JSON.parse(added.out) };
    const server = await startServer({ apps: [], env: { KILAT_APPS_DATABASE: file } });
    t.after(() => server.stop());
    const client = await server.connect({ app, key: app.key });
    await client.subscribe('private-room');
    client.terminate();
  });
});
