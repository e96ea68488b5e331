import { useState, type FormEvent, type ReactElement } from 'react';

import { request, toast } from '../../common/page/kit.ts';
import { latencyText } from './format.ts';
import { Sparkline } from './sparkline.tsx';
import { isStaff, type Device, type Session } from './types.ts';

/** Sends a command, and says when it was refused. */
async function command(path: string, session: Session, options: { method?: string; body?: unknown } = {}): Promise<boolean> {
  try {
    await request(path, { method: 'POST', ...options, token: session.token });
    return true;
  } catch (failure) {
    toast((failure as Error).message, 'bad');
    return false;
  }
}

function StatusBadge({ device }: { device: Device }): ReactElement {
  if (device.status === 'offline') return <span className="badge bad">offline</span>;
  if (device.status === 'unknown') return <span className="badge">not known yet</span>;
  return device.slow ? <span className="badge wait">slow</span> : <span className="badge good">online</span>;
}

function Actions({ device, session }: { device: Device; session: Session }): ReactElement {
  if (device.demo === null) {
    return (
      <div className="actions">
        <button onClick={() => void command(`/api/devices/${device.id}`, session, { method: 'DELETE' })}>Remove</button>
      </div>
    );
  }
  const act = (action: string): void => void command(`/api/demo/devices/${device.id}/${action}`, session);
  return (
    <div className="actions" role="group" aria-label={`What ${device.name} does`}>
      <button disabled={device.demo === 'running'} onClick={() => act('start')}>Start</button>
      <button disabled={device.demo === 'slow'} onClick={() => act('slow')}>Slow</button>
      <button disabled={device.demo === 'stopped'} onClick={() => act('stop')}>Stop</button>
    </div>
  );
}

export function DeviceTile({ device, session }: { device: Device; session: Session | null }): ReactElement {
  const offline = device.status === 'offline';
  return (
    <li className="device" data-device={device.name} data-status={device.status}>
      <div className="line">
        <strong>{device.name}</strong>
        <StatusBadge device={device} />
      </div>
      <div className="line soft small">
        <span>{device.kind} · {device.address}:{device.port}</span>
        <span className="latency">{offline ? device.error : latencyText(device.latency_ms)}</span>
      </div>
      <Sparkline values={device.recent} limit={device.latency_ms_max} label={`Latency of ${device.name}`} />
      {session && isStaff(session.user) && <Actions device={device} session={session} />}
    </li>
  );
}

function AddDevice({ session }: { session: Session }): ReactElement {
  const [name, setName] = useState('');
  const [address, setAddress] = useState('');
  const [port, setPort] = useState('');
  const [kind, setKind] = useState('tcp');

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const body = { name, address, kind, port: Number(port) };
    if (!(await command('/api/devices', session, { body }))) return;
    setName('');
    setAddress('');
    setPort('');
  }

  return (
    <form className="row add" aria-label="Watch another device" onSubmit={(event) => void submit(event)}>
      <input aria-label="Name" placeholder="Name" value={name} onChange={(event) => setName(event.target.value)} />
      <input aria-label="Address" placeholder="192.168.1.1" value={address}
        onChange={(event) => setAddress(event.target.value)} />
      <input aria-label="Port" placeholder="Port" size={6} inputMode="numeric" value={port}
        onChange={(event) => setPort(event.target.value)} />
      <select aria-label="Kind" value={kind} onChange={(event) => setKind(event.target.value)}>
        <option value="tcp">takes a connection</option>
        <option value="banner">greets</option>
        <option value="http">answers HTTP</option>
      </select>
      <button>Watch</button>
    </form>
  );
}

export function Devices({ devices, error, session }: { devices: Device[]; error: string | null; session: Session }): ReactElement {
  const online = devices.filter(({ status }) => status === 'online').length;
  return (
    <section className="card wide" aria-labelledby="devices">
      <h2 id="devices">Devices <span className="soft">{online} of {devices.length} online</span></h2>
      {error && <p className="problem" role="alert">{error}</p>}
      <ul className="devices">
        {devices.map((device) => <DeviceTile key={device.id} device={device} session={session} />)}
      </ul>
      {isStaff(session.user) && <AddDevice session={session} />}
    </section>
  );
}
