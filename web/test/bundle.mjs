// Loads a TypeScript module of the page, bundled on the fly: Node 18 does not read TypeScript by itself.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const source = join(dirname(fileURLToPath(import.meta.url)), '../src');

export async function load(name) {
  const { outputFiles } = await build({
    entryPoints: [join(source, name)],
    bundle: true,
    write: false,
    format: 'esm',
    logLevel: 'warning',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}
