// Bundles the pages of the systems:  node build.mjs [--modules DIR] [--out DIR] [--only NAME]
// Each folder NAME/page becomes OUT/NAME: its scripts (main.ts, main.tsx or every *.entry.ts), and its other files as they
// are. --modules is the node_modules folder to use; a CMake build keeps its own, so the source tree stays clean.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    modules: { type: 'string', default: join(here, 'node_modules') },
    out: { type: 'string', default: join(here, 'dist') },
    only: { type: 'string' },
  },
});
const modules = resolve(values.modules);
const out = resolve(values.out);
const esbuild = createRequire(join(modules, 'x.js'))('esbuild');

const isSource = (name) => /\.(tsx?|md)$/.test(name);

/** The scripts that a page loads: main.ts(x), and any *.entry.ts(x). */
function entries(folder) {
  return readdirSync(folder).filter((name) => /^main\.tsx?$|\.entry\.tsx?$/.test(name));
}

async function bundle(name) {
  const from = join(here, name, 'page');
  const to = join(out, name);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  await esbuild.build({
    entryPoints: Object.fromEntries(entries(from).map((file) => [file.replace(/(\.entry)?\.tsx?$/, ''), join(from, file)])),
    outdir: to,
    nodePaths: [modules],
    // kilat-js is built from its sources; Vue's templates are compiled in the browser.
    alias: { 'kilat-js': resolve(here, '../clients/js/src/index.ts'), vue: join(modules, 'vue/dist/vue.esm-bundler.js') },
    define: {
      'process.env.NODE_ENV': '"production"',
      __VUE_OPTIONS_API__: 'false',
      __VUE_PROD_DEVTOOLS__: 'false',
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    },
    jsx: 'automatic',
    bundle: true,
    minify: true,
    format: 'iife',
    charset: 'ascii',
    target: ['chrome100', 'firefox100', 'safari15.4'],
    legalComments: 'none',
    logLevel: 'warning',
  });
  cpSync(from, to, { recursive: true, filter: (file) => !isSource(file) });
  cpSync(join(here, 'common/page/kit.css'), join(to, 'kit.css'));
}

/** The bundles carry other people's work, and their licences ask to travel with it. */
function notices() {
  const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
  return Object.keys(dependencies).sort().map((name) => {
    const folder = join(modules, name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? readFileSync(join(folder, file), 'utf8').trim() : license;
    return `${name} ${version}\n${'='.repeat(72)}\n${text}\n`;
  }).join('\n\n');
}

const pages = readdirSync(here).filter((name) => name !== 'common' && existsSync(join(here, name, 'page')));
for (const name of values.only ? [values.only] : pages) {
  await bundle(name);
  writeFileSync(join(out, name, 'licenses.txt'), notices());
}
