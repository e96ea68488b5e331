// A TCP proxy between a page and a server, on a port that stays: it can be cut, and refuse WebSockets.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class Proxy {
  refusesUpgrades = false;
  /** WebSockets that were refused. */
  refused = 0;
  #isCut = false;
  #sockets = new Set();

  /** `port`: a function, because the server may be another one later. */
  constructor(port) {
    this.port = port;
    this.server = createServer((client) => this.#serve(client));
  }

  async start() {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  url(path = '/') {
    return `http://127.0.0.1:${this.server.address().port}${path}`;
  }

  /** Ends all connections, and takes no more. */
  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore() {
    this.#isCut = false;
  }

  async stop() {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  #serve(client) {
    if (this.#isCut) return void client.destroy();
    const server = connect(this.port(), '127.0.0.1');
    for (const [one, other] of [[client, server], [server, client]]) {
      this.#sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    client.on('data', (bytes) => {
      if (this.refusesUpgrades && /\r\nupgrade: *websocket/i.test(bytes.toString('latin1'))) {
        this.refused++;
        client.destroy();
      } else {
        server.write(bytes);
      }
    });
    server.pipe(client);
  }
}
