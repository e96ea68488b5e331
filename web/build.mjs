// Bundles the live page:  node build.mjs [--modules DIR] [--out DIR]
// --modules is the node_modules folder to use (a CMake build keeps its own, so the source tree stays clean);
// --out is emptied first and then holds exactly the files that the binary will carry.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    modules: { type: 'string', default: join(here, 'node_modules') },
    out: { type: 'string', default: join(here, 'dist') },
  },
});
const modules = resolve(values.modules);
const out = resolve(values.out);
const esbuild = createRequire(join(modules, 'x.js'))('esbuild');

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

await esbuild.build({
  entryPoints: { live: join(here, 'src/main.ts') },
  outdir: out,
  nodePaths: [modules],
  bundle: true,
  minify: true,
  format: 'iife',
  charset: 'ascii',
  target: ['chrome100', 'firefox100', 'safari15.4'],
  legalComments: 'none',
  logLevel: 'warning',
});
cpSync(join(here, 'public'), out, { recursive: true });

// The bundle carries other people's work, and their licences ask to travel with it.
const carried = { 'pusher-js': 'LICENCE', 'laravel-echo': 'LICENSE.md', uplot: 'LICENSE' };
const notices = Object.entries(carried).map(([name, file]) => {
  const { version } = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'));
  return `${name} ${version}\n${'='.repeat(72)}\n${readFileSync(join(modules, name, file), 'utf8').trim()}\n`;
});
writeFileSync(join(out, 'licenses.txt'), notices.join('\n\n'));
