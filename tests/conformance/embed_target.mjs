// The program tests/embed/echo_server.cc as a target of the Socket.IO tests.
// Owner: the test file that called startEmbedded(); it must end the server with stop().
// Environment: KILAT_EMBED_BIN (default: tests/embed_echo_server in the build directory of KILAT_BIN).
import path from 'node:path';

import { kBinary, startServer } from './harness.mjs';

export const kEmbedBinary = process.env.KILAT_EMBED_BIN
  ? path.resolve(process.env.KILAT_EMBED_BIN)
  : path.join(path.dirname(kBinary), 'tests/embed_echo_server');

/** The server, with what sio_clients.mjs and sio_session.mjs want of a target. `files`: a directory to serve. */
export async function startEmbedded({ files, ...options } = {}) {
  const server = await startServer({ ...options, program: { file: kEmbedBinary, args: files ? [files] : [] } });
  server.path = options.socketio?.path ?? '/socket.io/';
  server.settings = options.socketio ?? {};
  return server;
}

/** Resolves with what the program's handler answers. */
export function ask(socket, event, ...args) {
  return new Promise((resolve, reject) => {
    socket.timeout(60_000).emit(event, ...args, (error, ...answers) => {
      if (error) reject(new Error(`${event}: ${error.message}`));
      else resolve(answers.length > 1 ? answers : answers[0]);
    });
  });
}
