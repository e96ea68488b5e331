// kilat check, init, env, completion and man, against the real binary.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import test from 'node:test';

import { folder, kilat } from './cli_tool.mjs';
import { eventually, kApp, startServer } from './harness.mjs';
import { connect as connectClient } from './ws_client.mjs';

const kShop = '[[app]]\nid = "shop"\nkey = "shop-key"\nsecret = "canary-secret"\n';

function have(command, ...words) {
  return spawnSync(command, words, { stdio: 'ignore' }).error === undefined;
}

test('check: all problems at once, with line, caret, suggestion and the reason for a bound', (t) => {
  const cwd = folder(t);
  writeFileSync(
    path.join(cwd, 'kilat.toml'),
    `[limits]\nmessage_bytes_max = "64MiB"\n${kShop}max_conections = 5000\nsecert = "canary-secret"\n`,
  );
  const { code, out, err } = kilat(['check', 'kilat.toml'], { cwd });
  assert.equal(code, 1);
  assert.equal(out, '');
  assert.match(err, /^kilat\.toml:2:21: error: limits\.message_bytes_max is 64MiB; the largest allowed is 16MiB$/m);
  assert.match(err, /^    2 \| message_bytes_max = "64MiB"$/m);
  assert.match(err, /why: every connection may hold twice this in memory/);
  assert.match(err, /^kilat\.toml:7:1: error: unknown key "max_conections" in \[\[app\]\]$/m);
  assert.match(err, /\^{14} did you mean "max_connections"\?/);
  assert.match(err, /did you mean "secret"\?/);
  assert.match(err, /^3 errors$/m);
});

test('check: a valid file in one line, its differences with their places, and as JSON', (t) => {
  const cwd = folder(t);
  writeFileSync(path.join(cwd, 'kilat.toml'), `server.drain_ms = "5s"\n${kShop}max_connections = 5000\n`);
  const plain = kilat(['check'], { cwd });
  assert.deepEqual(plain, {
    code: 0,
    out: 'kilat.toml is valid: 1 app, 2 settings differ from the defaults (kilat check --diff)\n',
    err: '',
  });
  const env = { KILAT_LOG_LEVEL: 'debug' };
  const diff = kilat(['check', '--diff'], { cwd, env });
  assert.equal(
    diff.out,
    'server.drain_ms 3s -> 5s    kilat.toml:1:19\nlog.level info -> debug    KILAT_LOG_LEVEL\n' +
      'app.shop.max_connections 0 -> 5000    kilat.toml:6:19\n',
  );
  const report = JSON.parse(kilat(['check', '--json'], { cwd, env }).out);
  assert.equal(report.valid, true);
  assert.equal(report.apps, 1);
  assert.deepEqual(report.errors, []);
  assert.deepEqual(report.changes[1], {
    path: 'log.level',
    default: 'info',
    value: 'debug',
    place: 'KILAT_LOG_LEVEL',
    needs_restart: false,
  });
});

test('check --json: errors are data too, and the exit code says so', (t) => {
  const cwd = folder(t);
  writeFileSync(path.join(cwd, 'kilat.toml'), `server.prot = 1\n${kShop}`);
  const { code, out } = kilat(['check', '--json'], { cwd, env: { KILAT_PORT: '1' } });
  assert.equal(code, 1);
  const report = JSON.parse(out);
  assert.equal(report.valid, false);
  assert.equal(report.errors[0].line, 1);
  assert.equal(report.errors[0].hint, 'did you mean "port"?');
  assert.equal(report.warnings[0].place, 'KILAT_PORT');
});

test('check: without any configuration it says so, makes nothing, and fails', (t) => {
  const cwd = folder(t);
  const { code, err } = kilat(['check'], { cwd });
  if (existsSync('/etc/kilat/kilat.toml')) return;
  assert.equal(code, 1);
  assert.match(err, /no configuration/);
  assert.deepEqual(readdirSync(cwd), []);
});

test('secrets: no command that explains a configuration repeats one', (t) => {
  const cwd = folder(t);
  writeFileSync(path.join(cwd, 'kilat.toml'), `${kShop}bad = 1\nsecret2 = "canary-secret"\n`);
  writeFileSync(path.join(cwd, 'good.toml'), kShop);
  for (const words of [['check'], ['check', '--json'], ['check', 'good.toml', '--diff'], ['check', 'good.toml', '--json']]) {
    const { out, err } = kilat(words, { cwd });
    assert.ok(!(out + err).includes('canary-secret'), words.join(' '));
  }
});

test('init: the file is valid, loopback only, and new every time', (t) => {
  const cwd = folder(t);
  const first = kilat(['init'], { cwd });
  assert.equal(first.code, 0);
  assert.notEqual(first.out, kilat(['init'], { cwd }).out);
  writeFileSync(path.join(cwd, 'kilat.toml'), first.out);
  assert.match(kilat(['check', 'kilat.toml'], { cwd }).out, /^kilat\.toml is valid: 1 app, no setting differs/);
  const wrong = kilat(['init', '--listen', 'everywhere', '--app', 'a/b'], { cwd });
  assert.equal(wrong.code, 1);
  assert.equal(wrong.out, '');
  assert.match(wrong.err, /2 errors/);
});

test('env laravel: what it prints is an app that kilat itself understands', (t) => {
  const cwd = folder(t);
  writeFileSync(path.join(cwd, 'kilat.toml'), `server.listen = "0.0.0.0:7001"\n${kShop}`);
  const { code, out } = kilat(['env', 'laravel'], { cwd });
  assert.equal(code, 0);
  assert.match(out, /^PUSHER_APP_SECRET=canary-secret$/m);
  assert.match(out, /^PUSHER_HOST=127\.0\.0\.1$/m);
  assert.match(out, /^PUSHER_PORT=7001$/m);
  const other = path.join(cwd, 'laravel');
  mkdirSync(other);
  writeFileSync(path.join(other, '.env'), out);
  if (existsSync('/etc/kilat/kilat.toml')) return;
  assert.match(kilat(['check'], { cwd: other }).out, /^\.env \(names of Laravel\) is valid: 1 app/);
});

test('env node: the snippet is JavaScript', (t) => {
  const cwd = folder(t);
  writeFileSync(path.join(cwd, 'kilat.toml'), kShop);
  const { out } = kilat(['env', 'node'], { cwd });
  const file = path.join(cwd, 'snippet.cjs');
  writeFileSync(file, out);
  assert.equal(spawnSync(process.execPath, ['--check', file]).status, 0);
  assert.equal(kilat(['env', 'nonsense'], { cwd }).code, 2);
  assert.match(kilat(['env', 'node', '--app', 'none'], { cwd }).err, /no app is called none/);
});

const kNoNginx = !have('nginx', '-v') && 'nginx is not installed';
const kCredentials = { KILAT_APP_ID: kApp.id, KILAT_APP_KEY: kApp.key, KILAT_APP_SECRET: kApp.secret };

/** A file for nginx with `blocks` in its one server block, which keeps to `cwd` and loopback. */
function nginxConfig(cwd, port, blocks) {
  const file = path.join(cwd, 'nginx.conf');
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const folders = kinds.map((name) => `  ${name}_temp_path ${cwd}/${name};\n`).join('');
  writeFileSync(
    file,
    `pid ${cwd}/nginx.pid;\nerror_log ${cwd}/error.log;\nevents {}\nhttp {\n  access_log off;\n${folders}` +
      `  server {\n    listen 127.0.0.1:${port};\n${blocks}\n  }\n}\n`,
  );
  return file;
}

/** A port that nothing listens on at this moment. */
async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

test('env nginx: nginx takes the blocks', { skip: kNoNginx }, async (t) => {
  const cwd = folder(t);
  writeFileSync(path.join(cwd, 'kilat.toml'), `server.path_prefix = "/ws"\n${kShop}`);
  const { out } = kilat(['env', 'nginx'], { cwd });
  assert.match(out, /^location \/ws\/app\/ \{$/m);
  const file = nginxConfig(cwd, await freePort(), out);
  const result = spawnSync('nginx', ['-t', '-q', '-p', cwd, '-c', file], { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
});

test('env nginx: clients and publishers reach the server through it', { skip: kNoNginx }, async (t) => {
  const cwd = folder(t);
  const server = await startServer();
  const port = await freePort();
  const { out } = kilat(['env', 'nginx'], { cwd, env: { ...kCredentials, KILAT_SERVER_PORT: String(server.port) } });
  const nginx = spawn('nginx', ['-p', cwd, '-c', nginxConfig(cwd, port, out), '-g', 'daemon off;'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => nginx.once('exit', resolve));
  try {
    const outside = Object.create(server, { port: { value: port } });
    await eventually(() => fetch(`http://127.0.0.1:${port}/app/`).then(() => true, () => false), 'nginx to listen');
    const client = await connectClient(outside);
    await client.subscribe('chat');
    await outside.publish('chat', 'hello', 'hi');
    await client.until(() => client.frames.some((frame) => frame.event === 'hello'), 'the event');
  } finally {
    nginx.kill('SIGTERM');
    await ended;
    await server.stop();
  }
});

test('completion bash: the shell completes commands, options and arguments', (t) => {
  const cwd = folder(t);
  writeFileSync(path.join(cwd, 'kilat.bash'), kilat(['completion', 'bash'], { cwd }).out);
  const complete = (line) => {
    const words = line.split(' ');
    const script =
      'source ./kilat.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kilat; printf "%s\\n" "${COMPREPLY[@]}"';
    return spawnSync('bash', ['-uc', script, 'bash', ...words], { cwd, encoding: 'utf8' }).stdout.trim().split('\n');
  };
  assert.deepEqual(complete('kilat ser'), ['serve']);
  assert.ok(complete('kilat serve --').includes('--port'));
  assert.deepEqual(complete('kilat env lar'), ['laravel']);
});

test('completion zsh and fish: the shells take the scripts', (t) => {
  const cwd = folder(t);
  for (const shell of ['zsh', 'fish']) {
    const { code, out } = kilat(['completion', shell], { cwd });
    assert.equal(code, 0);
    const file = path.join(cwd, shell);
    writeFileSync(file, out);
    if (have(shell, '--version')) assert.equal(spawnSync(shell, ['-n', file]).status, 0, shell);
  }
});

test('man: every page is roff that groff takes without a warning', (t) => {
  const cwd = folder(t);
  assert.equal(kilat(['man', '--directory', cwd], { cwd }).code, 0);
  const pages = readdirSync(cwd);
  assert.ok(pages.includes('kilat.1') && pages.includes('kilat-serve.1') && pages.includes('kilat.toml.5'));
  assert.equal(kilat(['man', 'serve'], { cwd }).out, readFileSync(path.join(cwd, 'kilat-serve.1'), 'utf8'));
  assert.match(kilat(['man', 'nonsense'], { cwd }).err, /there are: kilat, /);
  if (!have('groff', '--version')) return;
  for (const page of pages) {
    const result = spawnSync('groff', ['-man', '-Tutf8', '-Kutf8', '-ww', path.join(cwd, page)], { encoding: 'utf8' });
    assert.equal(result.stderr, '', page);
  }
});
