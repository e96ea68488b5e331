// Invoices as they are issued and paid, the newest first.
import { request } from '../../common/page/kit.ts';
import type { Payment, Session } from './types.ts';
import { upsert, useLive } from './use_live.ts';
import { useRoom } from './use_room.ts';
import type { Connection } from './use_socket.ts';

const kPaymentsMax = 50;
const timeOf = ({ paid_at, issued_at }: Payment): number => paid_at ?? issued_at;

/** A paid invoice stays paid, whatever comes after it. */
export function withPayment(payments: Payment[], payment: Payment): Payment[] {
  const known = payments.find(({ invoice_id }) => invoice_id === payment.invoice_id);
  if (known?.status === 'paid') return payments;
  return upsert(payments, payment, ({ invoice_id }) => invoice_id, kPaymentsMax)
    .sort((one, other) => timeOf(other) - timeOf(one));
}

export function usePaymentUpdates(
  connection: Connection,
  { token }: Session,
): { payments: Payment[]; error: string | null } {
  const { state, apply, load, error } = useLive<Payment[]>([]);
  const refused = useRoom(connection, {
    room: 'payments',
    history: true,
    events: { 'payment:update': (payment: Payment) => apply((payments) => withPayment(payments, payment)) },
    onJoined: () => load(async () => (await request<{ payments: Payment[] }>('/api/payments', { token })).payments),
  });
  return { payments: state, error: refused ?? error };
}
