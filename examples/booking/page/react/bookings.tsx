// The bookings of who is signed in.
import type { ReactElement } from 'react';

import type { Desk } from '../desk';
import { kStatusTone, timeText, type Booking, type Session } from '../model';

function Row(props: { desk: Desk; booking: Booking; session: Session | undefined; busy: boolean }): ReactElement {
  const { desk, booking, session, busy } = props;
  const { booking_id: id, status } = booking;
  const live = status !== 'cancelled';
  return (
    <tr data-booking={booking.booking_code} data-status={status} data-payment={booking.payment_status}>
      <td>
        <code>{booking.booking_code}</code>
        <div className="soft">
          {booking.seats} × {session?.session_name ?? `session ${booking.session_id}`}
        </div>
      </td>
      <td>
        <div className="tags">
          <span className={`badge ${kStatusTone[status]}`}>{status}</span>
          <span className={`badge ${kStatusTone[booking.payment_status]}`}>{booking.payment_status}</span>
        </div>
        {booking.hold_until && <div className="soft">held until {timeText(booking.hold_until)}</div>}
      </td>
      <td className="actions">
        {live && booking.payment_status === 'unpaid' && (
          <button disabled={busy} onClick={() => void desk.pay(id)}>
            Pay
          </button>
        )}
        {live && (
          <button disabled={busy} onClick={() => void desk.cancel(id)}>
            Cancel
          </button>
        )}
      </td>
    </tr>
  );
}

export function Bookings(props: {
  desk: Desk;
  bookings: readonly Booking[];
  sessions: readonly Session[];
  busy: readonly number[];
}): ReactElement {
  return (
    <section className="card" aria-label="My bookings">
      <h3>My bookings</h3>
      {props.bookings.length === 0 && <p className="soft">None yet.</p>}
      <table className="bookings">
        <tbody>
          {props.bookings.map((booking) => (
            <Row
              key={booking.booking_id}
              desk={props.desk}
              booking={booking}
              session={props.sessions.find(({ session_id }) => session_id === booking.session_id)}
              busy={props.busy.includes(booking.booking_id)}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}
