// A page to look at the events as they come: connect, join a room, read.
import { io, type Socket } from 'socket.io-client';

import { badge, element, type Tone } from '../../common/page/kit.ts';
import { storedSession } from './session.ts';

const kLinesMax = 200;

const events = element('events');
const state = element('state');
const token = element<HTMLInputElement>('token');
const room = element<HTMLInputElement>('room');
const lines: string[] = [];
let socket: Socket | null = null;

/** The newest line first. */
function show(name: string, ...values: unknown[]): void {
  const text = values.map((value) => JSON.stringify(value)).join(' ');
  lines.unshift(`${new Date().toISOString().slice(11, 23)}  ${name}  ${text}`);
  lines.length = Math.min(lines.length, kLinesMax);
  events.textContent = lines.join('\n');
}

function tell(text: string, tone: Tone): void {
  badge(state, text, tone);
}

function connect(): void {
  socket?.disconnect();
  const made = io({
    auth: token.value ? { token: token.value } : {},
    transports: element<HTMLSelectElement>('transport').value.split(','),
    forceNew: true,
  });
  socket = made;
  tell('connecting…', 'wait');
  made.on('connect', () => {
    tell(`connected · ${made.io.engine.transport.name}`, 'good');
    made.io.engine.on('upgrade', () => tell(`connected · ${made.io.engine.transport.name}`, 'good'));
    show('connect', { id: made.id, recovered: made.recovered });
  });
  made.on('disconnect', (reason) => {
    tell('not connected', '');
    show('disconnect', reason);
  });
  made.on('connect_error', (error) => {
    tell(error.message, 'bad');
    show('connect_error', error.message, (error as Error & { data?: unknown }).data);
  });
  made.onAny((event: string, ...values: unknown[]) => show(event, ...values));
}

function ask(event: string, ...values: unknown[]): void {
  if (!socket?.connected) return show(event, 'not connected');
  socket.emit(event, ...values, (answer: unknown) => show(`${event} answered`, answer));
}

token.value = storedSession()?.token ?? '';
element('connect').addEventListener('submit', (event) => {
  event.preventDefault();
  connect();
});
element('join').addEventListener('submit', (event) => {
  event.preventDefault();
  ask('subscribe', room.value);
});
element('leave').addEventListener('click', () => ask('unsubscribe', room.value));
element('whoami').addEventListener('click', () => ask('whoami'));
element('disconnect').addEventListener('click', () => socket?.disconnect());
element('clear').addEventListener('click', () => {
  lines.length = 0;
  events.textContent = '';
});
