// A TCP proxy in front of a target, which can cut its connections, freeze them, or lose them as a dead network would: the
// client is gone and the server is not told.
// Owner: the test, which ends it with close(). Bounded by the length of a test.
import net from 'node:net';

class Proxy {
  constructor(server) {
    this.server = server;
    this.port = server.address().port;
    this.pairs = new Set();
    this.refusing = false; // new connections are dropped
  }

  take(client, upstream) {
    const pair = { client, upstream, lost: false };
    this.pairs.add(pair);
    const end = () => {
      if (pair.lost) return;
      this.pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', end);
    }
    client.pipe(upstream);
    upstream.pipe(client);
  }

  /** Both sides see the end of every connection. */
  cut() {
    for (const { client, upstream } of this.pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  /** Nothing goes through any more, and nobody is told. */
  freeze() {
    for (const { client, upstream } of this.pairs) {
      client.unpipe(upstream);
      upstream.unpipe(client);
    }
  }

  /** The clients see the end of their connections; the server goes on believing in them. */
  lose() {
    this.freeze();
    for (const pair of this.pairs) {
      pair.lost = true;
      pair.client.destroy();
    }
  }

  close() {
    for (const pair of this.pairs) {
      pair.lost = false;
      pair.client.destroy();
      pair.upstream.destroy();
    }
    return new Promise((resolve) => this.server.close(resolve));
  }
}

/** A proxy at a port the kernel picks. */
export function startProxy(target) {
  return new Promise((resolve) => {
    let proxy;
    const server = net.createServer((client) => {
      if (proxy.refusing) return client.destroy();
      proxy.take(client, net.connect({ host: target.host, port: target.port }));
    });
    server.listen(0, '127.0.0.1', () => {
      proxy = new Proxy(server);
      resolve(proxy);
    });
  });
}
