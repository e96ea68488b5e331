// What a lone reader sees while a shard goes from idle to full load and back: one event every 20 ms through the signed
// HTTP API to one reader, and `kilat bench` as the load for some seconds in between (docs/performance.md). Prints the
// latencies of each quarter of a second.
//
//   KILAT_BIN=build/release/kilat KILAT_SHARDS=1 node bench/linger_step.mjs [LINGER_MS] [PUBLISHES_PER_SECOND]
import { execFileSync, spawn } from 'node:child_process';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { kApp, kBinary, startServer } from '../tests/conformance/harness.mjs';
import { connect } from '../tests/conformance/ws_client.mjs';

const kLingerMs = Number(process.argv[2] ?? 5);
const kRate = Number(process.argv[3] ?? 10_000);
const kProbeMs = 20;
const kSliceMs = 250;
const kBefore_s = 2;
const kLoad_s = 4;
const kAfter_s = 2;

const server = await startServer({ limits: { linger_ms_max: kLingerMs }, server: { shards: 1 } });
// The server alone on one core, everything else on the other.
execFileSync('taskset', ['-apc', '0', `${server.child.pid}`]);
execFileSync('taskset', ['-apc', '1', `${process.pid}`]);
const agent = new http.Agent({ keepAlive: true });
const reader = await connect(server);
await reader.subscribe('probe');

const sent = [];
const latency_ms = [];
reader.socket.on('message', (data) => {
  const now = performance.now();
  const frame = JSON.parse(data.toString());
  if (frame.event === 'tick') latency_ms[Number(frame.data)] = now - sent[Number(frame.data)];
});

const begin = performance.now();
let load;
const timer = setTimeout(() => {
  const args = ['bench', '--url', `ws://127.0.0.1:${server.port}`, '--app-id', kApp.id, '--key', kApp.key, '--secret', kApp.secret,
    '--connections', '1000', '--channels', '10', '--connect-rate', '20000', '--via', 'http', '--rate', `${kRate}`,
    '--warmup', '0', '--duration', `${kLoad_s}`, '--drain', '1'];
  load = spawn(kBinary, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  load.stdout.pipe(process.stderr);
}, kBefore_s * 1000);
const end = begin + (kBefore_s + kLoad_s + kAfter_s) * 1000;
for (let i = 0; performance.now() < end; ++i) {
  sent[i] = performance.now();
  void server.request('POST', '/events', { body: { name: 'tick', channel: 'probe', data: `${i}` }, agent });
  await sleep(kProbeMs);
}
await sleep(500);
clearTimeout(timer);
load?.kill();

console.log('second   events   p50 ms   max ms');
const slices = Math.ceil((end - begin) / kSliceMs);
for (let slice = 0; slice < slices; ++slice) {
  const of_slice = sent.flatMap((at, i) => (Math.floor((at - begin) / kSliceMs) === slice && latency_ms[i] !== undefined ? [latency_ms[i]] : []));
  of_slice.sort((a, b) => a - b);
  const p50 = of_slice[Math.floor(of_slice.length / 2)] ?? NaN;
  console.log(`${((slice * kSliceMs) / 1000).toFixed(2).padStart(6)} ${String(of_slice.length).padStart(8)} ${p50.toFixed(2).padStart(8)} ${(of_slice.at(-1) ?? NaN).toFixed(2).padStart(8)}`);
}
reader.socket.terminate();
agent.destroy();
await server.stop();
