import { useCallback, useEffect, useState, type ReactElement } from 'react';

import { toast } from '../../common/page/kit.ts';
import { AlertList } from './alerts.tsx';
import { BandwidthCard } from './bandwidth.tsx';
import { CustomerCard } from './customer.tsx';
import { Devices } from './devices.tsx';
import { timeText } from './format.ts';
import { Login } from './login.tsx';
import { Logs } from './logs.tsx';
import { PaymentTable } from './payments.tsx';
import { storedSession, storeSession, watchSession } from './session.ts';
import { StatsCard } from './stats.tsx';
import { isStaff, type Alert, type Session } from './types.ts';
import { useAlerts } from './use_alerts.ts';
import { useBandwidth } from './use_bandwidth.ts';
import { useDeviceStatus } from './use_device_status.ts';
import { useNetworkLogs } from './use_network_logs.ts';
import { usePaymentUpdates } from './use_payment_updates.ts';
import { useSocket, type Connection } from './use_socket.ts';
import { useStatsUpdates } from './use_stats_updates.ts';

interface Props {
  connection: Connection;
  session: Session;
}

const announce = (alert: Alert): void => toast(alert.message, alert.severity === 'critical' ? 'bad' : 'wait');

function Staff({ connection, session }: Props): ReactElement {
  const { alerts, acknowledge, error } = useAlerts(connection, session, announce);
  const bandwidth = useBandwidth(connection);
  const logs = useNetworkLogs(connection, session);
  const payments = usePaymentUpdates(connection, session);
  return (
    <>
      <section className="card" aria-labelledby="alerts">
        <h2 id="alerts">Alerts</h2>
        <AlertList alerts={alerts.slice(0, 12)} error={error} onAcknowledge={acknowledge} />
      </section>
      <Logs {...logs} />
      <section className="card" aria-labelledby="payments">
        <h2 id="payments">Payments</h2>
        {payments.error && <p className="problem" role="alert">{payments.error}</p>}
        <PaymentTable payments={payments.payments.slice(0, 12)} named />
      </section>
      <BandwidthCard bandwidth={bandwidth} />
    </>
  );
}

function ConnectionBadge({ connected, leading, transport }: Connection): ReactElement {
  if (!connected) return <span className="badge wait" id="connection" role="status">connecting…</span>;
  const way = { websocket: 'WebSocket', polling: 'long-polling' }[transport] ?? transport;
  return (
    <span className={`badge ${transport === 'polling' ? 'wait' : 'good'}`} id="connection" role="status">
      connected · {way}{leading ? '' : ' of another tab'}
    </span>
  );
}

interface DashboardProps {
  session: Session;
  onRefused(message: string): void;
  onLeave(): void;
}

function Dashboard({ session, onRefused, onLeave }: DashboardProps): ReactElement {
  const connection = useSocket(session, onRefused);
  const devices = useDeviceStatus(connection);
  const stats = useStatsUpdates(connection);
  const staff = isStaff(session.user);
  return (
    <>
      <header className="bar">
        <h1>Network operations centre</h1>
        <ConnectionBadge {...connection} />
        <span className="spacer" />
        <a href="ws-test/">Raw events</a>
        <span id="user">{session.user?.name ?? 'viewer'}</span>
        <button onClick={onLeave}>{session.user ? 'Log out' : 'Log in'}</button>
      </header>
      {connection.lostAt !== null && (
        <p id="notice" className="notice" role="alert">
          Not connected since {timeText(connection.lostAt)}; what is shown is from then
        </p>
      )}
      <main className={connection.lostAt === null ? 'cards' : 'cards stale'}>
        <StatsCard {...stats} />
        <Devices {...devices} session={session} />
        {staff && <Staff connection={connection} session={session} />}
        {session.user && <CustomerCard connection={connection} session={session} />}
      </main>
    </>
  );
}

export function App(): ReactElement {
  const [session, setSession] = useState(storedSession);
  const [message, setMessage] = useState('');
  useEffect(() => watchSession(setSession), []);
  const change = useCallback((next: Session | null, why = '') => {
    storeSession(next);
    setMessage(why);
    setSession(next);
  }, []);
  const onRefused = useCallback((why: string) => change(null, `${why}. Please log in again.`), [change]);
  if (!session) return <Login key={message} message={message} onSession={change} />;
  return <Dashboard key={session.user?.id ?? ''} session={session} onRefused={onRefused} onLeave={() => change(null)} />;
}
