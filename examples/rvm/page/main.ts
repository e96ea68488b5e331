// The page of the fleet: who looks at it, what they see, and what happens when the connection goes.
import { badge, element, request, RequestError, toast, type Tone } from '../../common/page/kit.ts';
import type { ConnectionSnapshot } from 'kilat-js';
import { drawHours, drawStatuses } from './charts.ts';
import { Fleet } from './fleet.ts';
import { Live, type LiveEvents } from './live.ts';
import { ActivityLog, ChangeList } from './log.ts';
import { probe } from './probe.ts';
import { Poller } from './poller.ts';
import { clearSession, readSession, writeSession } from './session.ts';
import { Table } from './table.ts';
import { changeToast } from './toasts.ts';
import {
  isAdmin, isStaff, readChange, readDashboard, type Change, type Config, type Dashboard, type Machine, type Machines,
  type Session, type Status,
} from './types.ts';

const kRequestTimeoutMs = 4000;
/** Fill levels are no news for the public; this often will do. */
const kPublicRefreshMs = 60_000;
const kConfigRetryMs = 3000;
const kRefused =
  'You are logged in as NAME, without a role of staff: the server refused CHANNEL (403). You see the public status of the machines.';

const fleet = new Fleet();
const table = new Table(fleet.machines, setStatus);
const changes = new ChangeList();
const log = new ActivityLog();
const poller = new Poller(poll);

let config: Config;
let session: Session | null = readSession();
let live: Live | null = null;
/** The connection was there once, or an attempt has failed: from now on its absence is a loss. */
let lost = false;
let pollFailed = false;
/** The switch of the simulation shows what was asked for until that is answered. */
let switching = false;
let openedAt = 0;

async function ask<Answer>(path: string, body?: unknown): Promise<Answer> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), kRequestTimeoutMs);
  try {
    return await request<Answer>(path, { token: session?.token ?? null, body, signal: abort.signal });
  } finally {
    clearTimeout(timer);
  }
}

function explain(error: unknown): string {
  if (error instanceof RequestError) return error.message;
  if (error instanceof DOMException && error.name === 'AbortError') return 'the server does not answer';
  return 'the server cannot be reached';
}

function draw(): void {
  table.draw();
  const counts = fleet.counts();
  drawStatuses(counts);
  element('attention').textContent = String(counts.full + counts.error);
}

/** The present state, from the server. Rejects when it does not answer. */
async function refresh(withHistory = false): Promise<void> {
  const mine = session;
  const changed = fleet.replace(await ask<Machines>('/api/machines'));
  if (isStaff(mine?.user)) {
    const board = await ask<Dashboard>('/api/dashboard');
    if (session !== mine) return; // logged out, or in as somebody else, meanwhile
    if (withHistory) [...(board.history ?? [])].reverse().forEach((change) => changes.add(change));
    showDashboard(board);
  }
  draw();
  changed.forEach((machine) => table.flash(machine.id));
}

async function tryRefresh(withHistory = false): Promise<boolean> {
  try {
    await refresh(withHistory);
    return true;
  } catch (error) {
    if (error instanceof RequestError && error.status === 401) sessionEnded();
    else log.add('request', `could not fetch the machines: ${explain(error)}`, 'bad');
    return false;
  }
}

async function poll(): Promise<void> {
  const good = await tryRefresh();
  const state = live?.status.current().state;
  // An answer after none means that the server is back; no need to wait for the next attempt of the socket.
  if (good && (state === 'failed' || (pollFailed && state === 'error'))) live?.status.retry();
  pollFailed = !good;
}

function showDashboard(board: Dashboard): void {
  fleet.figures(board);
  const { totals } = board;
  element('items').textContent = totals.items_24h.toLocaleString('en');
  element('fill').textContent = `${Math.round(totals.fill_average)} %`;
  for (const name of ['pet', 'cans', 'glass'] as const) element(name).textContent = totals[name].toLocaleString('en');
  drawHours(board.hours, Date.now());
  if (!switching) element<HTMLInputElement>('simulation').checked = board.simulation;
}

function takeChange(change: Change): void {
  if (fleet.apply(change)) {
    draw();
    table.flash(change.rvm_id);
  }
  if (changes.add(change)) changeToast(change);
}

async function setStatus(machine: Machine, status: Status): Promise<void> {
  try {
    const answer = await ask<{ change: Change }>(`/api/machines/${machine.id}/status`, { status, expected: machine.status });
    takeChange(readChange(answer.change));
  } catch (error) {
    if (error instanceof RequestError && error.status === 401) return sessionEnded();
    toast(`${machine.name}: ${explain(error)}`, 'bad');
    log.add('request', `${machine.name} to ${status}: ${explain(error)}`, 'bad');
    void tryRefresh();
  }
}

function showState({ state, healthy, attempt, error }: ConnectionSnapshot): void {
  const words: Record<typeof state, [string, Tone]> = {
    disconnected: ['Disconnected', ''],
    connecting: [lost ? `Connecting again (${attempt})…` : 'Connecting…', 'wait'],
    connected: healthy ? ['Live', 'good'] : ['No sign of the server', 'bad'],
    error: [`Not connected: ${error ?? 'connection lost'}`, 'bad'],
    failed: [`No connection: ${error ?? 'connection lost'}`, 'bad'],
  };
  badge(element('connection'), ...words[state]);
  element('retry').hidden = state !== 'error' && state !== 'failed';
}

function onState(snapshot: ConnectionSnapshot): void {
  showState(snapshot);
  const { state, healthy, error } = snapshot;
  const well = state === 'connected' && healthy;
  if (well) {
    if (probe.connectMs === null) probe.connectMs = performance.now() - openedAt;
    log.add('connection', lost ? 'live again' : 'live', 'good');
    if (lost) void tryRefresh();
    lost = false;
    poller.stop();
  } else if (state === 'error' || state === 'failed' || state === 'connected') {
    log.add('connection', state === 'connected' ? 'the server says nothing' : (error ?? 'lost'), 'bad');
    lost = true;
    poller.start();
  }
  element('polling').hidden = !poller.running;
}

/** Runs the handler of an event; what it throws is shown and survived. */
function guarded(what: string, handle: () => void): void {
  try {
    handle();
  } catch (error) {
    log.add('event', `${what}: ${error instanceof Error ? error.message : String(error)}`, 'bad');
    toast('An event made no sense; see the log', 'bad');
  }
}

const events: LiveEvents = {
  onState,
  onStatus: (data, channel) =>
    guarded(channel, () => {
      const change = readChange(data);
      probe.saw(channel, change);
      takeChange(change);
    }),
  onDashboard: (data) =>
    guarded('admin-dashboard', () => {
      showDashboard(readDashboard(data));
      probe.dashboards++;
      draw();
    }),
  onJoined: (channel) => {
    log.add('connection', `joined ${channel}`);
    if (channel === 'admin-dashboard') probe.staff = true;
  },
  onRefused: (channel, status) => {
    log.add('auth', `${channel} refused (${status})`, 'bad');
    if (status === 401) sessionEnded();
    else if (status === 403) notice(kRefused.replace('NAME', session?.user.name ?? 'nobody').replace('CHANNEL', channel));
    else toast(`${channel}: refused (${status})`, 'bad');
  },
  onRecovered: (channel, missed) => log.add('connection', `${channel}: caught up with ${missed} missed`, 'good'),
  onNotRecovered: (channel, reason) => {
    log.add('connection', `${channel}: could not catch up (${reason}), fetched anew`, 'wait');
    void tryRefresh(true);
  },
  onExpiring: (seconds) => {
    toast(`Your session ends in ${seconds} s`, 'wait');
    log.add('auth', `the session ends in ${seconds} s`, 'wait');
  },
  onError: (text) => log.add('connection', text, 'bad'),
};

function notice(text: string): void {
  element('notice').textContent = text;
  element('notice').hidden = text === '';
}

/** Shows what this user may see, and connects as them. */
function enter(): void {
  const staff = isStaff(session?.user);
  document.body.classList.toggle('is-staff', staff);
  element('login-card').hidden = session !== null;
  element('logout').hidden = session === null;
  for (const id of ['figures-card', 'hours-card']) element(id).hidden = !staff;
  element('simulation-box').hidden = !isAdmin(session?.user);
  element('who').textContent = session ? `${session.user.name} (${session.user.roles.join(', ') || 'no role'})` : '';
  table.setUser(staff ? session?.user : undefined);
  live?.close();
  poller.stop();
  lost = false;
  probe.connectMs = null;
  probe.staff = false;
  openedAt = performance.now();
  live = new Live(config, session, events);
  void tryRefresh(true);
}

/** Nothing that only staff may see outlives their session. */
function leave(): void {
  clearSession();
  session = null;
  for (const machine of fleet.machines.values()) {
    delete machine.pet;
    delete machine.cans;
    delete machine.glass;
  }
  changes.clear();
  enter();
}

function sessionEnded(): void {
  if (!session) return;
  log.add('auth', 'the session has ended', 'wait');
  // Later, because the connection that is about to be closed is the one that has called.
  setTimeout(() => {
    if (!session) return;
    leave();
    notice('Your session has ended: log in again. Until then you see the public status of the machines.');
  });
}

async function logIn(): Promise<void> {
  const sorry = element('login-error');
  sorry.hidden = true;
  const body = {
    email: element<HTMLInputElement>('email').value,
    password: element<HTMLInputElement>('password').value,
  };
  try {
    session = await ask<Session>('/api/login', body);
    writeSession(session);
    notice('');
    element<HTMLFormElement>('login').reset();
    enter();
  } catch (error) {
    sorry.textContent = explain(error);
    sorry.hidden = false;
    log.add('auth', `login: ${explain(error)}`, 'bad');
  }
}

async function switchSimulation(box: HTMLInputElement): Promise<void> {
  const running = box.checked;
  switching = true;
  try {
    await ask('/api/simulation', { running });
  } catch (error) {
    box.checked = !running;
    toast(explain(error), 'bad');
    log.add('request', `simulation: ${explain(error)}`, 'bad');
  } finally {
    switching = false;
  }
}

function wire(): void {
  element('login').addEventListener('submit', (event) => {
    event.preventDefault();
    void logIn();
  });
  element('accounts').addEventListener('click', ({ target }) => {
    const email = (target as HTMLElement).dataset.email;
    if (!email) return;
    element<HTMLInputElement>('email').value = email;
    element<HTMLInputElement>('password').value = 'kilat-demo';
  });
  element('logout').addEventListener('click', () => {
    leave();
    notice('');
  });
  element('retry').addEventListener('click', () => live?.status.retry());
  const box = element<HTMLInputElement>('simulation');
  box.addEventListener('change', () => void switchSimulation(box));
  setInterval(() => {
    if (!poller.running && !isStaff(session?.user)) void tryRefresh();
  }, kPublicRefreshMs);
}

async function begin(): Promise<void> {
  try {
    config = await ask<Config>('/api/config');
    enter();
  } catch (error) {
    badge(element('connection'), 'No connection', 'bad');
    log.add('request', `could not begin: ${explain(error)}`, 'bad');
    setTimeout(() => void begin(), kConfigRetryMs);
  }
}

wire();
void begin();
