// Cases 93-96: POST /apps/{id}/batch_events.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { expectHttpError } from './asserts.mjs';
import { assertRow, startServer } from './harness.mjs';

describe('http_batch', () => {
  let server;
  before(async () => {
    server = await startServer();
  });
  after(() => server?.stop());
  afterEach(() => server?.closeClients());

  const post = (batch) => server.request('POST', '/batch_events', { body: { batch } });

  it('case 93: two events reach their channels, and those of one channel keep their order', async () => {
    const client = await server.connect();
    for (const channel of ['case-93-a', 'case-93-b']) await client.subscribe(channel);
    const response = await server.api().triggerBatch([
      { name: 'one', channel: 'case-93-a', data: { i: 1 } },
      { name: 'two', channel: 'case-93-b', data: { i: 2 } },
      { name: 'three', channel: 'case-93-a', data: { i: 3 } },
    ]);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {});
    for (const channel of ['case-93-a', 'case-93-b']) await client.barrier(channel);
    const names = (channel) =>
      client.frames.filter((f) => f.channel === channel && typeof f.data === 'string' && f.data.includes('"i"'))
        .map((f) => [f.event, f.data]);
    assert.deepEqual(names('case-93-a'), [['one', '{"i":1}'], ['three', '{"i":3}']]);
    assert.deepEqual(names('case-93-b'), [['two', '{"i":2}']]);
  });

  it('case 93: socket_id of an entry leaves out that socket for that entry', async () => {
    const client = await server.connect();
    await client.subscribe('case-93-c');
    const response = await post([
      { name: 'hidden', channel: 'case-93-c', data: '1', socket_id: client.socket_id },
      { name: 'seen', channel: 'case-93-c', data: '2' },
    ]);
    assert.equal(response.status, 200, response.text);
    await client.waitFor('seen');
    assert.deepEqual(client.all('hidden'), []);
  });

  it('case 94: info on the first entry gives an array of the same length', async () => {
    const client = await server.connect();
    await client.subscribe('case-94');
    const response = await post([
      { name: 'e', channel: 'case-94', data: '1', info: 'subscription_count' },
      { name: 'e', channel: 'case-94-other', data: '2' },
    ]);
    assert.equal(response.status, 200, response.text);
    assert.deepEqual(response.json, { batch: [{ subscription_count: 1 }, {}] });
  });

  it('case 95: eleven events are refused with 400 and none is delivered', async () => {
    assertRow('api_batch_too_long', { httpStatus: 400 });
    const client = await server.connect();
    await client.subscribe('case-95');
    const batch = Array.from({ length: 11 }, (_, i) => ({ name: 'e', channel: 'case-95', data: String(i) }));
    await expectHttpError(server, await post(batch), 'api_batch_too_long');
    await client.barrier('case-95');
    assert.deepEqual(client.all('e'), []);
    const ten = await post(batch.slice(0, 10));
    assert.equal(ten.status, 200, ten.text);
    await client.barrier('case-95');
    assert.deepEqual(client.all('e').map((f) => f.data), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  for (const [name, entry, ids] of [
    ['without a name', { channel: 'case-96', data: '1' }, ['api_event_name_invalid', 'api_body_invalid']],
    ['without a channel', { name: 'e', data: '1' }, ['api_channel_invalid', 'api_body_invalid']],
    ['without data', { name: 'e', channel: 'case-96' }, ['api_body_invalid']],
    ['that is null', null, ['api_body_invalid']],
    ['with a bad socket_id', { name: 'e', channel: 'c', data: '1', socket_id: 'x' }, ['api_socket_id_invalid']],
  ]) {
    it(`case 96: a batch whose last entry is one ${name} is refused as a whole`, async () => {
      for (const id of ids) assertRow(id, { httpStatus: 400 });
      const client = await server.connect();
      await client.subscribe('case-96');
      const response = await post([{ name: 'e', channel: 'case-96', data: '1' }, entry]);
      await expectHttpError(server, response, ids);
      await client.barrier('case-96');
      assert.deepEqual(client.all('e'), []);
    });
  }

  it('case 96: an entry with data over the limit refuses the batch with 413', async () => {
    assertRow('api_data_too_big', { httpStatus: 413 });
    const client = await server.connect();
    await client.subscribe('case-96');
    const response = await post([
      { name: 'e', channel: 'case-96', data: '1' },
      { name: 'e', channel: 'case-96', data: 'x'.repeat(100 * 1024 + 1) },
    ]);
    await expectHttpError(server, response, 'api_data_too_big');
    await client.barrier('case-96');
    assert.deepEqual(client.all('e'), []);
  });

  for (const body of ['{}', '{"batch":{}}', '{"batch":"x"}', '[]']) {
    it(`case 96: the body ${body} is refused with 400`, async () => {
      const response = await server.request('POST', '/batch_events', { body });
      await expectHttpError(server, response, ['api_body_invalid', 'api_parameter_invalid'], { httpStatus: 400 });
    });
  }
});
