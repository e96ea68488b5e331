import type { ReactElement } from 'react';

import { moneyText, timeText } from './format.ts';
import type { Payment } from './types.ts';

interface Props {
  payments: Payment[];
  /** Missing: nobody pays here. */
  onPay?(invoice: number): void;
  /** Invoices that are being paid. */
  busy?: ReadonlySet<number>;
  /** Whether the customer is named. */
  named?: boolean;
}

export function PaymentTable({ payments, onPay, busy, named = false }: Props): ReactElement {
  return (
    <div className="scroll">
      <table className={named ? 'named' : ''}>
        <thead>
          <tr>
            <th scope="col" aria-label="Invoice">No.</th>
            {named && <th scope="col">Customer</th>}
            <th scope="col">Amount</th>
            <th scope="col">Status</th>
            <th scope="col">When</th>
          </tr>
        </thead>
        <tbody>
          {payments.map((payment) => (
            <tr key={payment.invoice_id} data-invoice={payment.invoice_id} data-status={payment.status}>
              <td>{payment.invoice_id}</td>
              {named && <td className="name">{payment.customer}</td>}
              <td>{moneyText(payment.amount_cents)}</td>
              <td>
                {payment.status === 'open' && onPay
                  ? <button disabled={busy?.has(payment.invoice_id)} onClick={() => onPay(payment.invoice_id)}>Pay</button>
                  : <span className={`badge ${payment.status === 'paid' ? 'good' : 'wait'}`}>
                      {payment.status === 'paid' ? payment.method : 'open'}
                    </span>}
              </td>
              <td className="soft">{timeText(payment.paid_at ?? payment.issued_at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
