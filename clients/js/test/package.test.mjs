// What the package promises as a whole: its entry points, that a page gets only what it names, and no peer with it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { exports: entries } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

/** The minified bundle of a page that does `code`. */
async function bundle(code) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: root },
    bundle: true,
    write: false,
    minify: true,
    metafile: true,
    format: 'esm',
    logLevel: 'warning',
  });
  return { text: outputFiles[0].text, inputs: Object.keys(metafile.inputs) };
}

/** A text of each module that survives minifying. */
const kMarks = {
  withRecovery: 'kilat:recovered',
  LiveSeries: 'must be at least 1',
  connectionStatus: 'connecting_in',
  pusherAdapter: 'client-',
  socketAdapter: 'connect_error',
};

for (const [name, absent] of [
  ['LiveSeries', ['withRecovery', 'connectionStatus', 'pusherAdapter', 'socketAdapter']],
  ['withRecovery', ['LiveSeries', 'connectionStatus', 'pusherAdapter', 'socketAdapter']],
  ['connectionStatus', ['LiveSeries', 'withRecovery', 'pusherAdapter']],
  ['pusherAdapter', ['LiveSeries', 'withRecovery', 'connectionStatus', 'socketAdapter']],
  ['socketAdapter', ['LiveSeries', 'withRecovery', 'connectionStatus', 'pusherAdapter']],
]) {
  test(`Page_ThatNames_${name}_GetsNothingElse`, async () => {
    const { text, inputs } = await bundle(`import { ${name} } from 'kilat-js'; globalThis.used = ${name};`);
    assert.ok(text.includes(kMarks[name]), name);
    for (const other of absent) assert.equal(text.includes(kMarks[other]), false, other);
    assert.deepEqual(inputs.filter((path) => path.includes('node_modules')), []);
  });
}

test('EveryEntryPoint_LoadsByItsName_AndHasTypes', async () => {
  const all = await import('kilat-js');
  for (const [entry, { types }] of Object.entries(entries)) {
    const module = await import(entry.replace('.', 'kilat-js'));
    assert.ok(Object.keys(module).length > 0, entry);
    for (const name of Object.keys(module)) assert.equal(all[name], module[name], `${entry}: ${name}`);
    assert.match(readFileSync(`${root}${types}`, 'utf8'), /export/);
  }
  assert.deepEqual(Object.keys(all).sort(), [
    'ConnectionStatus', 'LiveSeries', 'Recovery', 'SharedChannel', 'SharedMembers', 'SharedPusher', 'SharedSocket',
    'connectionStatus', 'pusherAdapter', 'sharedConnection', 'socketAdapter', 'withRecovery',
  ]);
});
