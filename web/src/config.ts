// What the server tells the page about itself at config.json.

export interface LiveConfig {
  key: string;
  /** App id for the command line; only for show. */
  app: string;
  host: string;
  port: number;
  secure: boolean;
  channel: string;
  event: string;
  pathPrefix: string;
}

/** Where a page with this address finds the WebSocket, unless the server names another host. */
export function readConfig(raw: unknown, location: { protocol: string; hostname: string; port: string }): LiveConfig {
  const given = (typeof raw === 'object' && raw !== null ? raw : {}) as Record<string, unknown>;
  const text = (name: string, otherwise: string): string => {
    const value = given[name];
    return typeof value === 'string' && value !== '' ? value : otherwise;
  };
  const key = text('key', '');
  if (key === '') throw new Error('config.json names no app key');
  const secure = location.protocol === 'https:';
  return {
    key,
    app: text('app', 'dev'),
    host: text('host', location.hostname),
    port: location.port === '' ? (secure ? 443 : 80) : Number(location.port),
    secure,
    channel: text('channel', 'scada-data'),
    event: text('event', 'scada.data.received'),
    pathPrefix: text('path_prefix', ''),
  };
}

/** Rejects when the server is away, answers with an error, or answers something else than the configuration. */
export async function loadConfig(): Promise<LiveConfig> {
  const response = await fetch('config.json', { cache: 'no-store' });
  if (!response.ok) throw new Error(`config.json answered ${response.status}`);
  return readConfig(await response.json(), window.location);
}
