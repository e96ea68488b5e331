// The kilat binary under test: starts it, waits until it is ready, ends it by its own pid.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { endWithFile } from '../conformance/children.mjs';

export const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const binary = process.env.KILAT_BIN ? resolve(process.env.KILAT_BIN) : join(repository, 'build/release/kilat');

/** Sanitizer builds on a busy machine need a while to come up. */
const kReadyTimeoutMs = 60_000;

/** A folder with the configuration of one app; `remove()` takes it away again. */
export class Site {
  constructor() {
    if (!existsSync(binary)) throw new Error(`no server at ${binary}: build it first, or set KILAT_BIN`);
    this.folder = mkdtempSync(join(tmpdir(), 'kilat-e2e-'));
    this.config = join(this.folder, 'kilat.toml');
    this.processes = new Set();
    this.listen(0);
  }

  /** Writes the configuration; port 0 lets the kernel choose. */
  listen(port) {
    writeFileSync(
      this.config,
      `[server]\nlisten = "127.0.0.1:${port}"\n\n[[app]]\nid = "plant"\nkey = "plant-key"\nsecret = "plant-secret"\n`,
    );
  }

  /** Starts `kilat serve --live` and resolves with {port, process} once its log says that it is ready. */
  async serve() {
    const child = this.spawn(['serve', '--live', '--config', this.config]);
    const port = await new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`not ready in time:\n${child.log.join('\n')}`)), kReadyTimeoutMs);
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        fail(new Error(`serve ended (${signal ?? code}):\n${child.log.join('\n')}`));
      });
      child.onLine = (line) => {
        let entry;
        try {
          entry = JSON.parse(line);
        } catch {
          return;
        }
        if (entry.event !== 'ready') return;
        clearTimeout(timer);
        done(entry.port);
      };
    });
    return { port, process: child };
  }

  /** Publishes this machine's telemetry to the server at `port`, over its restarts too. */
  feed(port) {
    return this.spawn([
      'feed', '--config', this.config, '--url', `http://127.0.0.1:${port}`, '--interval-ms', '200',
    ]);
  }

  /** Runs a command to its end; throws with its output unless it succeeds. */
  async run(args) {
    const child = this.spawn(args);
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`kilat ${args.join(' ')} ended with ${code}:\n${child.log.join('\n')}`);
  }

  async end(child, signal) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async remove() {
    await Promise.all([...this.processes].map((child) => this.end(child, 'SIGKILL')));
    rmSync(this.folder, { recursive: true, force: true });
  }

  spawn(args) {
    const child = endWithFile(spawn(binary, args, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] }));
    child.log = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        child.log.push(line);
        if (child.log.length > 200) child.log.shift();
        child.onLine?.(line);
      });
    }
    this.processes.add(child);
    child.once('exit', () => this.processes.delete(child));
    return child;
  }
}
