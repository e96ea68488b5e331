import { useEffect, useState, type ReactElement } from 'react';

import { request, toast } from '../../common/page/kit.ts';
import { AlertList } from './alerts.tsx';
import { DeviceTile } from './devices.tsx';
import { moneyText } from './format.ts';
import { PaymentTable } from './payments.tsx';
import { isStaff, type Customer, type Session } from './types.ts';
import { useCustomer } from './use_customer.ts';
import { useOnce } from './use_once.ts';
import type { Connection } from './use_socket.ts';

interface Props {
  connection: Connection;
  session: Session;
}

/** The customers there are; for a customer only themselves. */
function useCustomers({ connected }: Connection, { token }: Session): Customer[] {
  const [customers, setCustomers] = useState<Customer[]>([]);
  useEffect(() => {
    if (!connected) return;
    request<{ customers: Customer[] }>('/api/customers', { token })
      .then((answer) => setCustomers(answer.customers))
      .catch((failure: Error) => toast(failure.message, 'bad'));
  }, [connected, token]);
  return customers;
}

export function CustomerCard({ connection, session }: Props): ReactElement {
  const staff = isStaff(session.user);
  const customers = useCustomers(connection, session);
  const [wanted, choose] = useState<string | null>(null);
  const id = wanted ?? (staff ? (customers[0]?.id ?? null) : (session.user?.id ?? null));
  const { view, pay, error } = useCustomer(connection, session, id);

  const { busy, run } = useOnce(async (invoice) => {
    await pay(invoice);
    toast(`Invoice ${invoice} is paid`, 'good');
  });
  const owed = (view?.payments ?? []).filter(({ status }) => status === 'open')
    .reduce((sum, { amount_cents }) => sum + amount_cents, 0);

  return (
    <section className="card wide" aria-labelledby="customer" data-customer={view?.customer.id}>
      <div className="line">
        <h2 id="customer">Customer</h2>
        {staff && (
          <select aria-label="Customer" value={id ?? ''} onChange={(event) => choose(event.target.value)}>
            {customers.map((customer) => <option key={customer.id} value={customer.id}>{customer.name}</option>)}
          </select>
        )}
      </div>
      {error && <p className="problem" role="alert">{error}</p>}
      {view && (
        <>
          <p>
            <strong>{view.customer.name}</strong> · {view.customer.plan}, {moneyText(view.customer.monthly_cents)} a month ·
            {' '}owes <strong className="owed">{moneyText(owed)}</strong>
          </p>
          <ul className="devices">
            {view.devices.map((device) => <DeviceTile key={device.id} device={device} session={null} />)}
          </ul>
          <div className="halves">
            <div>
              <h3>Invoices</h3>
              <PaymentTable payments={view.payments.slice(0, 8)} busy={busy} onPay={run} />
            </div>
            <div>
              <h3>Alerts</h3>
              <AlertList alerts={view.alerts.slice(0, 8)} error={null} />
            </div>
          </div>
        </>
      )}
    </section>
  );
}
