// A program of examples/ under test: starts it with a folder of its own, waits until it says where it listens, ends, kills,
// freezes and restarts it by its own pid.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { endWithFile } from '../conformance/children.mjs';
import { repository } from './kilat.mjs';

const folder = resolve(process.env.KILAT_EXAMPLES ?? join(repository, 'build/release/examples'));
const artifacts = join(repository, 'artifacts');

const kReadyTimeoutMs = 60_000;

export class Example {
  /** `name` is that of the program: example_scada. Options: {args, env}. */
  constructor(name, options = {}) {
    this.binary = join(folder, name);
    if (!existsSync(this.binary)) throw new Error(`no program at ${this.binary}: build it first, or set KILAT_EXAMPLES`);
    this.options = options;
    this.data = mkdtempSync(join(tmpdir(), 'kilat-example-'));
    this.port = 0;
    this.log = [];
  }

  /** Starts it, again on the same port after the first time, and resolves when it listens. */
  async start() {
    this.process = endWithFile(spawn(
      this.binary,
      ['--port', String(this.port), '--data', this.data, ...(this.options.args ?? [])],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.options.env } },
    ));
    this.ended = once(this.process, 'exit');
    createInterface({ input: this.process.stderr }).on('line', (line) => this.log.push(line));
    this.port = await new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`not ready in time:\n${this.log.join('\n')}`)), kReadyTimeoutMs);
      createInterface({ input: this.process.stdout }).on('line', (line) => {
        this.log.push(line);
        const port = /http:\/\/[^/]+:(\d+)\/$/.exec(line)?.[1];
        if (port) done(Number(port));
        if (port) clearTimeout(timer);
      });
      this.process.once('exit', (code, signal) => {
        clearTimeout(timer);
        fail(new Error(`ended (${signal ?? code}):\n${this.log.join('\n')}`));
      });
    });
    return this;
  }

  url(path = '/') {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  signal(name) {
    this.process.kill(name);
  }

  freeze() {
    this.signal('SIGSTOP');
  }

  thaw() {
    this.signal('SIGCONT');
  }

  /** Ends it without a goodbye; its data stays. */
  async kill() {
    this.signal('SIGKILL');
    await this.ended;
  }

  /** Ends it as a person would, and resolves with its exit code. */
  async stop() {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return this.process?.exitCode;
    this.thaw();
    this.signal('SIGTERM');
    return (await this.ended)[0];
  }

  /** Ends it and takes its data away. */
  async remove() {
    const timer = setTimeout(() => this.signal('SIGKILL'), 20_000);
    await this.stop();
    clearTimeout(timer);
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** Keeps a picture of a page among the artefacts of the test run. */
export async function screenshot(page, name) {
  mkdirSync(artifacts, { recursive: true });
  await page.screenshot({ path: join(artifacts, `${name}.png`), fullPage: true });
}

/** Gathers what a page complains about: uncaught errors. */
export function complaints(page) {
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  return errors;
}
