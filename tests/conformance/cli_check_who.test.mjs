// `kilat check --who` and `--token`: what somebody may do in a channel, and why.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { configText, kBinary } from './harness.mjs';
import { kJwtSecret, token, unixNow } from './tokens.mjs';

describe('kilat check --who', () => {
  let directory;
  let file;
  before(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'kilat-who-'));
    file = path.join(directory, 'kilat.toml');
    const rules = [
      'admin-dashboard subscribe=role:admin',
      'booking.{userId} subscribe=user:{userId}|role:admin',
      'lobby subscribe=anonymous publish=authenticated',
      'asked subscribe=backend',
    ];
    writeFileSync(file, configText({ apps: [{ rules, jwt_secret: kJwtSecret, jwt_audience: 'shop' }] }));
  });
  after(() => rmSync(directory, { recursive: true }));

  function check(...args) {
    return spawnSync(kBinary, ['check', '--config', file, ...args], { encoding: 'utf8' });
  }

  it('explains a yes, rule by rule', () => {
    const { status, stdout } = check('--who', '{"sub":"7","roles":["admin"]}', 'booking.7');
    assert.equal(status, 0, stdout);
    assert.match(stdout, /rule 1: admin-dashboard.*\n +does not fit the name/);
    assert.match(stdout, /\{userId\} is 7\n +user:7: yes\n +role:admin: yes\n +allowed/);
  });

  it('explains a no', () => {
    const { status, stdout } = check('--who', '{"sub":"8"}', 'private-booking.7');
    assert.equal(status, 1);
    assert.match(stdout, /user:7: no\n +role:admin: no\n +refused/);
    const nobody = check('--who', '', 'private-booking.7');
    assert.match(nobody.stdout, /nobody signed in[^]*refused: sign in first/);
  });

  it('says that nobody can sign in with an id that no channel could be named after', () => {
    for (const sub of ['#7', 'a b\n', 'x'.repeat(129), '']) {
      const { status, stdout, stderr } = check('--who', JSON.stringify({ sub, roles: ['admin'] }), 'booking.7');
      assert.notEqual(status, 0, stdout);
      assert.match(stderr, /no user can sign in with the id|sub names no user/);
    }
    const { status, stderr } = check('--who', '{"sub":123456789012345678901234567890}', 'booking.7');
    assert.notEqual(status, 0);
    assert.match(stderr, /the text has a number with too many digits/);
  });

  it('says what holds without a rule', () => {
    assert.match(check('--who', '{"sub":"8"}', 'news').stdout, /no rule: open to everybody/);
    const { status, stdout } = check('--who', '{"sub":"8"}', 'private-news');
    assert.equal(status, 1);
    assert.match(stdout, /no rule: only with a signature/);
  });

  it('says what the server asks for beside the rules', () => {
    for (const [who, channel, status, words] of [
      ['', 'lobby', 0, /anonymous: yes\n +allowed/],
      ['', 'presence-lobby', 1, /refused: a member of a presence channel is signed in/],
      ['{"sub":"7"}', 'presence-lobby', 0, /anonymous: yes\n +allowed/],
      ['{"sub":"7"}', 'asked', 1, /there is no app\.authorize_url/],
      ['{"sub":"7"}', '#server-to-user-7', 0, /for user 7 only[^]*allowed[^]*only by the application/],
      ['{"sub":"7"}', '#server-to-user-8', 1, /for user 8 only[^]*refused/],
      ['', '#server-to-user-7', 1, /refused/],
    ]) {
      const { status: code, stdout } = check('--who', who, channel);
      assert.equal(code, status, `${who} ${channel}: ${stdout}`);
      assert.match(stdout, words);
    }
  });

  it('says who may publish, and who sees the members', () => {
    const publish = (channel) => check('--who', '{"sub":"8"}', channel).stdout.split('publish\n')[1];
    assert.match(publish('lobby'), /authenticated: yes\n +allowed/);
    assert.match(publish('private-news'), /allowed by app\.client_events/);
    assert.match(publish('news'), /client_events_on_public is off/);
    assert.match(publish('private-encrypted-news'), /client_events_on_encrypted is off/);
    assert.match(check('--who', '{"sub":"8"}', 'presence-news').stdout, /presence\n[^]*all members are seen/);
  });

  it('takes a real token, and says what is wrong with another', () => {
    assert.equal(check('--token', token({ sub: '7', aud: 'shop' }), 'booking.7').status, 0);
    for (const [bad, words] of [
      [token({ sub: '7' }), /aud is not "shop"/],
      [token({ sub: '7', aud: 'shop', exp: unixNow(-100) }), /exp is in the past/],
      [token({ sub: '7', aud: 'shop' }, { secret: 'another secret of enough bytes, yes' }), /signature does not fit/],
      ['abc', /three parts/],
    ]) {
      const { status, stderr } = check('--token', bad, 'booking.7');
      assert.equal(status, 1);
      assert.match(stderr, words);
      assert.equal(stderr.includes(bad), false, 'the token is not shown');
    }
  });

  it('refuses claims that are none, and a channel that can not be', () => {
    assert.match(check('--who', '[1]', 'a').stderr, /cannot read the claims/);
    assert.match(check('--who', '{"roles":[]}', 'a').stderr, /there is no sub/);
    assert.equal(check('--who', '{"sub":"1"}', '').status, 1);
  });
});
