// The page that shows all four systems: a live miniature of each, over the stock clients of its protocol.

import { withRecovery } from 'kilat-js';
import Pusher from 'pusher-js';
import { io } from 'socket.io-client';

import { badge, element } from '../../common/page/kit';
import { BarSpark, LineSpark, type Bar } from './spark';

interface Place {
  port: number;
  key: string;
}

class Card {
  private readonly root: HTMLElement;

  constructor(readonly name: string, place: Place) {
    this.root = element(name);
    this.part<HTMLAnchorElement>('[data-open]').href = `http://${location.hostname}:${place.port}/`;
    this.connected(false);
  }

  get canvas(): HTMLCanvasElement {
    return this.part('canvas');
  }

  connected(yes: boolean): void {
    badge(this.part('[data-badge]'), yes ? 'live' : 'connecting', yes ? 'good' : 'wait');
  }

  say(figure: string, caption: string): void {
    this.part('[data-figure]').textContent = figure;
    this.part('[data-caption]').textContent = caption;
  }

  private part<Kind extends HTMLElement>(selector: string): Kind {
    const found = this.root.querySelector<Kind>(selector);
    if (!found) throw new Error(`no ${selector} in #${this.name}`);
    return found;
  }
}

/** What a system answers to everybody. */
async function ask<Answer>(place: Place, path: string): Promise<Answer> {
  return (await (await fetch(`http://${location.hostname}:${place.port}${path}`)).json()) as Answer;
}

/** Connects; `begin` is called at each connect, for what was before the first event. */
function pusherOf(card: Card, place: Place, begin?: () => Promise<void>): Pusher {
  const pusher = new Pusher(place.key, {
    wsHost: location.hostname,
    wsPort: place.port,
    forceTLS: false,
    enabledTransports: ['ws'],
    cluster: '',
  });
  withRecovery(pusher);
  pusher.connection.bind('state_change', ({ current }: { current: string }) => {
    card.connected(current === 'connected');
    if (current === 'connected') begin?.().catch((error: unknown) => console.warn(card.name, error));
  });
  return pusher;
}

interface Reading {
  channel: string;
  data: { value: number };
}

/** The plant's first thermometer; readings carry no unit. */
const kThermometer = 'temp-001';

function showPlant(card: Card, place: Place): void {
  const line = new LineSpark(card.canvas);
  pusherOf(card, place)
    .subscribe('scada-realtime')
    .bind('scada.data.received', (reading: Reading) => {
      if (reading.channel !== kThermometer) return;
      line.push(reading.data.value);
      card.say(`${reading.data.value.toFixed(2)} °C`, `temperature at sensor ${kThermometer}`);
    });
}

interface Machine {
  rvm_id: number;
  rvm_name: string;
  status: string;
}

const kStatusTones = { active: '--good', inactive: '--soft', maintenance: '--wait', full: '--wait', error: '--bad' };

function showMachines(card: Card, place: Place): void {
  const bars = new BarSpark(card.canvas);
  const statuses = new Map<number, string>();
  const draw = (): void => {
    bars.set(
      Object.entries(kStatusTones).map(([name, tone]): Bar => {
        const count = [...statuses.values()].filter((status) => status === name).length;
        return { name: `${count} ${name}`, share: count / statuses.size, tone };
      }),
    );
  };
  pusherOf(card, place, async () => {
    const { machines } = await ask<{ machines: { id: number; status: string }[] }>(place, '/api/machines');
    for (const { id, status } of machines) statuses.set(id, status);
    draw();
    card.say(String(machines.length), 'machines; the next change of a status shows here');
  })
    .subscribe('rvm-status')
    .bind('rvm.status.updated', (machine: Machine) => {
      statuses.set(machine.rvm_id, machine.status);
      draw();
      card.say(machine.status, machine.rvm_name);
    });
}

interface Availability {
  session_id: number;
  session_name: string;
  available_slots: number;
  total_capacity: number;
}

function fullness(share: number): string {
  if (share >= 0.9) return '--bad';
  return share >= 0.7 ? '--wait' : '--good';
}

function showBookings(card: Card, place: Place): void {
  const bars = new BarSpark(card.canvas);
  const sessions = new Map<number, Availability>();
  const show = (session: Availability): void => {
    sessions.set(session.session_id, session);
    bars.set(
      [...sessions.values()].map((each): Bar => {
        const share = 1 - each.available_slots / each.total_capacity;
        return { name: each.session_name, share, tone: fullness(share) };
      }),
    );
    card.say(`${session.available_slots} free`, session.session_name);
  };
  pusherOf(card, place, async () => {
    const answer = await ask<{ sessions: Availability[] }>(place, '/api/sessions');
    answer.sessions.forEach(show);
  })
    .subscribe('availability')
    .bind('AvailabilityUpdated', show);
}

function showNetwork(card: Card, place: Place): void {
  const line = new LineSpark(card.canvas);
  const socket = io(`http://${location.hostname}:${place.port}`);
  socket.on('connect', () => {
    card.connected(true);
    socket.emit('subscribe', 'devices');
  });
  socket.on('disconnect', () => card.connected(false));
  socket.on('device:latency', ({ devices }: { devices: { latency_ms: number | null }[] }) => {
    const times = devices.map((device) => device.latency_ms).filter((time): time is number => time !== null);
    if (times.length === 0) return;
    const slowest = Math.max(...times);
    line.push(slowest);
    card.say(`${slowest.toFixed(1)} ms`, `the slowest of ${times.length} devices that answer`);
  });
}

async function start(): Promise<void> {
  const places = (await (await fetch('systems.json')).json()) as Record<string, Place>;
  const shows = { scada: showPlant, rvm: showMachines, booking: showBookings, noc: showNetwork };
  for (const [name, show] of Object.entries(shows)) {
    const place = places[name];
    if (place) show(new Card(name, place), place);
  }
}

void start();
