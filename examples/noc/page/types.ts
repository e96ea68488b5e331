// What the server sends, see README.md.

export interface User {
  id: string;
  name: string;
  roles: string[];
}

/** Who uses the page: somebody with a token, or an anonymous viewer. */
export interface Session {
  token: string | null;
  user: User | null;
}

export interface Device {
  id: number;
  name: string;
  kind: 'tcp' | 'banner' | 'http';
  address: string;
  port: number;
  path: string;
  customer_id: string | null;
  latency_ms_max: number;
  /** What a device of the demonstration does; null for a real one. */
  demo: 'running' | 'slow' | 'stopped' | null;
  status: 'online' | 'offline' | 'unknown';
  slow: boolean;
  latency_ms: number | null;
  error: string;
  since: number;
  recent: number[];
}

export interface Alert {
  id: number;
  device_id: number;
  device: string;
  customer_id: string | null;
  kind: 'offline' | 'latency';
  severity: 'critical' | 'warning';
  message: string;
  status: 'open' | 'acknowledged' | 'resolved';
  created_at: number;
  acknowledged_at: number | null;
  acknowledged_by: string | null;
  resolved_at: number | null;
}

export interface Payment {
  invoice_id: number;
  customer_id: string;
  customer: string;
  amount_cents: number;
  status: 'open' | 'paid';
  issued_at: number;
  paid_at: number | null;
  method: string | null;
}

export interface Customer {
  id: string;
  name: string;
  plan: string;
  monthly_cents: number;
  open_invoices: number;
  owed_cents: number;
}

export interface LogLine {
  at: number;
  level: 'debug' | 'info' | 'warning' | 'error';
  source: string;
  message: string;
}

export interface Stats {
  at: number;
  cpu_percent: number;
  memory_used_bytes: number;
  memory_total_bytes: number;
  load: number;
  connections: number;
}

/** Bytes a second through an interface. */
export interface Sample {
  at: number;
  rx: number;
  tx: number;
}

export const isStaff = (user: User | null): boolean =>
  user?.roles.some((role) => role === 'noc-admin' || role === 'operator') ?? false;
