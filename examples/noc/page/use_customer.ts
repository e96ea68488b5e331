// One customer in their own room: devices, alerts and invoices.
import { useCallback } from 'react';

import { request } from '../../common/page/kit.ts';
import type { Alert, Customer, Device, Payment, Session } from './types.ts';
import { withAlert } from './use_alerts.ts';
import { useLive } from './use_live.ts';
import { withPayment } from './use_payment_updates.ts';
import { useRoom } from './use_room.ts';
import type { Connection } from './use_socket.ts';

export interface CustomerView {
  customer: Customer;
  devices: Device[];
  alerts: Alert[];
  payments: Payment[];
}

function withDevice(view: CustomerView, device: Device): CustomerView {
  const others = view.devices.filter(({ id }) => id !== device.id);
  return { ...view, devices: [...others, device].sort((one, other) => one.id - other.id) };
}

const withPaid = (view: CustomerView, payment: Payment): CustomerView =>
  view.customer.id === payment.customer_id ? { ...view, payments: withPayment(view.payments, payment) } : view;

export interface OneCustomer {
  view: CustomerView | null;
  /** Rejects when it is refused. */
  pay(invoice: number): Promise<void>;
  error: string | null;
}

/** `id` null: nobody is chosen. */
export function useCustomer(connection: Connection, { token }: Session, id: string | null): OneCustomer {
  const { state, apply, load, error } = useLive<CustomerView | null>(null);
  const change = useCallback(
    (make: (view: CustomerView) => CustomerView): void => apply((view) => view && make(view)),
    [apply],
  );
  const refused = useRoom(connection, {
    room: id && `customer.${id}`,
    history: true,
    events: {
      'customer:device': (device: Device) => change((view) => withDevice(view, device)),
      'customer:device-removed': (gone: { id: number }) =>
        change((view) => ({ ...view, devices: view.devices.filter((device) => device.id !== gone.id) })),
      'customer:alert': (alert: Alert) => change((view) => ({ ...view, alerts: withAlert(view.alerts, alert) })),
      'customer:payment': (payment: Payment) => change((view) => withPaid(view, payment)),
    },
    onJoined: () => load(() => request<CustomerView>(`/api/customers/${id}`, { token })),
  });
  const pay = useCallback(
    async (invoice: number): Promise<void> => {
      const options = { token, body: { invoice_id: invoice } };
      const { payment } = await request<{ payment: Payment }>(`/api/customers/${id}/payments`, options);
      change((view) => withPaid(view, payment));
    },
    [token, id, change],
  );
  return { view: state?.customer.id === id ? state : null, pay, error: refused ?? error };
}
