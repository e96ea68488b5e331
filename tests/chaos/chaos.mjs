// What the tests of tests/chaos share: figures of the server process from /proc, the crowd of subscribers, and a client
// beside that must be served throughout. KILAT_LONG=1 asks for the full size of every figure; without it they are scaled
// down so far that all of them together take some minutes. Figures are printed with `report`, never asserted when they
// are times of this machine; bounds on memory, counts and reasons are.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

import { endWithFile } from '../conformance/children.mjs';
import { kBinary, kWaitMs } from '../conformance/harness.mjs';

export const kLong = process.env.KILAT_LONG === '1';
export const kMiB = 1024 * 1024;
const kFleet = process.env.KILAT_FLEET
  ? path.resolve(process.env.KILAT_FLEET)
  : path.join(path.dirname(kBinary), 'tests/chaos_fleet');

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Microseconds of the monotonic clock, the one chaos_fleet reads. */
export const nowUs = () => process.hrtime.bigint() / 1000n;

/** Resident bytes of the server: now, or at its peak. */
export function residentBytes(server, field = 'VmRSS') {
  const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)[1]) * 1024;
}

/** Processor time of all threads of the server so far, in milliseconds. */
export function cpuMs(server) {
  const tasks = `/proc/${server.child.pid}/task`;
  // schedstat counts nanoseconds, where stat counts hundredths of a second.
  return readdirSync(tasks).reduce(
    (sum, task) => sum + Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
    0,
  );
}

/** Watches the resident memory of the server: stop() returns the highest value seen, in bytes. */
export function watchMemory(server) {
  let highest = residentBytes(server);
  const look = () => {
    highest = Math.max(highest, residentBytes(server));
  };
  const timer = setInterval(look, 20);
  return {
    stop() {
      clearInterval(timer);
      look();
      return highest;
    },
  };
}

/** The value below which `part` of the numbers lie. */
export function percentile(numbers, part) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted.length === 0 ? 0 : sorted[Math.floor(part * (sorted.length - 1))];
}

export const mib = (bytes) => `${(bytes / kMiB).toFixed(1)} MiB`;
export const ms = (value) => `${value.toFixed(1)} ms`;

/** A line of measured figures in the output of the test run. */
export function report(title, figures) {
  const parts = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  console.log(`${title}: ${parts.join(', ')}`);
}

/** The crowd: see tests/chaos/fleet.cc. Resolves when all are subscribed. */
export class Fleet {
  static async start(server, { count, stalled = 0, channel }) {
    assert.ok(existsSync(kFleet), `no crowd at ${kFleet}: build chaos_fleet, or set KILAT_FLEET`);
    const fleet = new Fleet();
    const args = [server.port, server.app.key, count, stalled, channel].map(String);
    fleet.child = endWithFile(spawn(kFleet, args, { stdio: ['pipe', 'pipe', 'inherit'] }));
    fleet.exited = new Promise((resolve) => fleet.child.once('exit', resolve));
    fleet.lines = readline.createInterface({ input: fleet.child.stdout })[Symbol.asyncIterator]();
    const { ready } = await fleet.#line();
    assert.equal(ready, count);
    return fleet;
  }

  async #line() {
    let timer;
    const late = new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('the crowd says nothing')), 2 * kWaitMs);
    });
    const { value, done } = await Promise.race([this.lines.next(), late]).finally(() => clearTimeout(timer));
    assert.ok(!done, 'the crowd ended');
    return JSON.parse(value);
  }

  clear() {
    this.child.stdin.write('clear\n');
  }

  /** {total, wrong, fewest, p50, p99, max (microseconds), closed: {code: count}} since the last clear(). */
  report() {
    this.child.stdin.write('report\n');
    return this.#line();
  }

  /** Ends the crowd; its connections end with it. */
  async stop() {
    this.child.stdin.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), kWaitMs);
    await this.exited;
    clearTimeout(timer);
  }
}

/** Event data in the form the crowd counts: `size` bytes in all. */
export function numbered(number, size) {
  return `t=${nowUs()} i=${number} `.padEnd(size, 'x');
}

/**
 * A client beside an attack: one connection that pings and one publisher that publishes to it, again and again until
 * stop(), which asserts that every ping was answered and every event came, and returns the longest waits in ms.
 */
export async function startHonest(server, channel = 'honest') {
  const client = await server.connect();
  await client.subscribe(channel);
  let stopped = false;
  const pings = [];
  const publishes = [];
  const timed = async (times, action) => {
    const from = performance.now();
    await action();
    times.push(performance.now() - from);
  };
  const run = async () => {
    for (let i = 0; !stopped; ++i) {
      await timed(pings, () => client.ping());
      const from = client.frames.length;
      await timed(publishes, async () => {
        await server.publish(channel, 'e', `${i}`);
        await client.waitFor((frame) => frame.event === 'e' && frame.data === `${i}`, { from });
      });
      // The recording must not grow for ever.
      client.frames.length = 0;
      client.raw.length = 0;
      await sleep(5);
    }
  };
  const running = run();
  running.catch(() => {});
  return {
    async stop() {
      stopped = true;
      await running;
      assert.ok(pings.length > 0 && client.closed === null, 'the honest client was served');
      client.terminate();
      return { rounds: pings.length, ping: Math.max(...pings), event: Math.max(...publishes), p99: percentile(publishes, 0.99) };
    },
  };
}
