import assert from 'node:assert/strict';
import { test } from 'node:test';

import { load } from './bundle.mjs';

const { parseReading, parseTime } = await load('reading.ts');
const { readConfig } = await load('config.ts');
const { place, isUptime } = await load('sensors.ts');

test('Envelope_WithIsoTime_GivesReadingAndPublishTime', () => {
  const reading = parseReading(
    {
      data: { channel: 'host.cpu', value: 12.5, timestamp: 1700000000.25, unit: '%' },
      timestamp: '2023-11-14T22:13:20.300Z',
      channel: 'host.cpu',
    },
    1,
  );
  assert.deepEqual(reading, {
    sensor: 'host.cpu',
    value: 12.5,
    at: 1700000000250,
    unit: '%',
    publishedAt: 1700000000300,
  });
});

test('BareReading_IsAccepted_AndMayLackItsTime', () => {
  assert.deepEqual(parseReading({ channel: 'demo', value: 42 }, 777), {
    sensor: 'demo',
    value: 42,
    at: 777,
    unit: '',
    publishedAt: null,
  });
  assert.equal(parseReading({ channel: 'demo', value: '4.5', timestamp: 1700000000000 }, 1).value, 4.5);
});

test('AnythingElse_IsNoReading', () => {
  for (const payload of [null, 7, 'x', {}, [], { channel: 'a' }, { channel: '', value: 1 }, { value: 1 },
    { channel: 'a', value: '' }, { channel: 'a', value: 'x' }, { channel: 'a', value: null },
    { channel: 'a', value: {} }, { channel: 'a'.repeat(201), value: 1 }, { data: null, channel: 'a' }]) {
    assert.equal(parseReading(payload, 1), null, JSON.stringify(payload));
  }
});

test('Times_InSecondsMillisecondsAndIso_AreTheSameMoment', () => {
  for (const raw of [1700000000, 1700000000000, '1700000000', '2023-11-14T22:13:20Z']) {
    assert.equal(parseTime(raw), 1700000000000, String(raw));
  }
  for (const raw of [undefined, null, 'soon', NaN, -1, 0, {}]) assert.equal(parseTime(raw), null);
});

test('Configuration_TakesHostAndPortFromThePage', () => {
  const page = { protocol: 'http:', hostname: 'plant.local', port: '6001' };
  const config = readConfig({ key: 'k', channel: 'scada-data', event: 'e', path_prefix: '/rt' }, page);
  assert.deepEqual(
    [config.host, config.port, config.secure, config.pathPrefix],
    ['plant.local', 6001, false, '/rt'],
  );
  const secure = readConfig({ key: 'k', host: 'ws.local' }, { protocol: 'https:', hostname: 'a', port: '' });
  assert.deepEqual([secure.host, secure.port, secure.secure], ['ws.local', 443, true]);
  assert.throws(() => readConfig({}, page), /no app key/);
});

test('Sensors_OfOneThing_ShareACard', () => {
  const cards = (...names) => names.map((name) => place(name).card);
  assert.deepEqual(cards('host.cpu', 'host.memory', 'host.mem', 'host.load1'), ['cpu', 'memory', 'memory', 'load']);
  assert.deepEqual(cards('host.net.rx', 'host.network_tx', 'net.eth0.in'), ['network', 'network', 'network']);
  assert.deepEqual(cards('host.disk.read', 'host.disk_write'), ['disk', 'disk']);
  assert.equal(place('boiler-2.temperature').card, 'sensor:boiler-2.temperature');
  assert.ok(isUptime('host.uptime') && !isUptime('host.cpu'));
});
