// What the server sends, and how much of it the page believes.
import type { Tone } from '../../common/page/kit.ts';

export const kStatuses = ['active', 'inactive', 'maintenance', 'full', 'error'] as const;
export type Status = (typeof kStatuses)[number];

export const kTones: Record<Status, Tone> = { active: 'good', inactive: '', maintenance: 'wait', full: 'wait', error: 'bad' };

export interface Machine {
  id: number;
  name: string;
  place: string;
  status: Status;
  fill_level: number;
  last_seen: string;
  /** Of the last change of its status; grows with each. */
  change_id: number;
  pet?: number;
  cans?: number;
  glass?: number;
}

export interface Machines {
  machines: Machine[];
  last_change: number;
}

/** `rvm.status.updated`; `changed_by` comes on the private channel only. */
export interface Change {
  change_id: number;
  rvm_id: number;
  rvm_name: string;
  status: Status;
  previous_status: Status;
  fill_level: number;
  updated_at: string;
  changed_by?: string;
}

/** `dashboard.data.updated`, and with `history` what GET /api/dashboard answers. */
export interface Dashboard {
  totals: { machines: number; fill_average: number; pet: number; cans: number; glass: number; items_24h: number };
  statuses: Record<Status, number>;
  hours: { hour: string; items: number }[];
  machines: (Pick<Machine, 'id' | 'fill_level' | 'last_seen'> & { pet: number; cans: number; glass: number })[];
  simulation: boolean;
  updated_at: string;
  history?: Change[];
}

export interface User {
  id: string;
  name: string;
  roles: string[];
}

export interface Session {
  token: string;
  user: User;
}

export interface Config {
  key: string;
  csrf_token: string;
}

/** The rule of kilat.toml decides; this is only for what the page shows. */
export function isStaff(user: User | undefined): boolean {
  return !!user && user.roles.some((role) => ['super-admin', 'admin', 'operator', 'technician'].includes(role));
}

export function isAdmin(user: User | undefined): boolean {
  return !!user && user.roles.some((role) => role === 'super-admin' || role === 'admin');
}

/** What this user may make of a machine; the server has the last word. */
export function choices(user: User, from: Status): Status[] {
  const technician = !user.roles.some((role) => role === 'super-admin' || role === 'admin' || role === 'operator');
  if (technician && from === 'inactive') return [];
  const all: readonly Status[] = technician ? ['active', 'maintenance'] : kStatuses;
  return all.filter((status) => status !== from);
}

/** @throws TypeError for what is no change of status. */
export function readChange(data: unknown): Change {
  const change = data as Partial<Change> | null;
  const good =
    typeof change === 'object' &&
    change !== null &&
    [change.change_id, change.rvm_id, change.fill_level].every(Number.isFinite) &&
    typeof change.rvm_name === 'string' &&
    kStatuses.includes(change.status as Status) &&
    kStatuses.includes(change.previous_status as Status) &&
    !Number.isNaN(Date.parse(change.updated_at ?? ''));
  if (!good) throw new TypeError('rvm.status.updated without the fields it should have');
  return change as Change;
}

/** @throws TypeError for what is no set of figures. */
export function readDashboard(data: unknown): Dashboard {
  const board = data as Partial<Dashboard> | null;
  const good =
    typeof board === 'object' &&
    board !== null &&
    typeof board.totals === 'object' &&
    Array.isArray(board.hours) &&
    Array.isArray(board.machines);
  if (!good) throw new TypeError('dashboard.data.updated without the fields it should have');
  return board as Dashboard;
}
