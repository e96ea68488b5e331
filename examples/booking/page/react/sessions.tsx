// The list of sessions, with what is free of each.
import { useState, type FormEvent, type ReactElement } from 'react';

import type { Desk } from '../desk';
import {
  availability,
  dateText,
  kAvailabilityText,
  kAvailabilityTone,
  seatChoices,
  type Session,
} from '../model';

function BookForm({ desk, session }: { desk: Desk; session: Session }): ReactElement {
  const [seats, setSeats] = useState(1);
  const [busy, setBusy] = useState(false);
  const choices = seatChoices(session);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    void desk.book(session.session_id, Math.min(seats, choices.length)).finally(() => setBusy(false));
  };
  return (
    <form className="book" onSubmit={submit}>
      <select
        aria-label={`Seats for ${session.session_name}`}
        value={Math.min(seats, choices.length)}
        disabled={choices.length === 0}
        onChange={(event) => setSeats(Number(event.target.value))}
      >
        {choices.map((count) => (
          <option key={count}>{count}</option>
        ))}
      </select>
      <button className="main" disabled={busy || choices.length === 0}>
        Book
      </button>
    </form>
  );
}

function Row({ desk, session, canBook }: { desk: Desk; session: Session; canBook: boolean }): ReactElement {
  const state = availability(session);
  const { available_slots: free, total_capacity: total } = session;
  return (
    <li className="session" data-session={session.session_id} data-state={state}>
      <div className="what">
        <strong>{session.session_name}</strong>
        <span className="soft">{dateText(session.date)}</span>
      </div>
      <span className={`badge ${kAvailabilityTone[state]}`}>{kAvailabilityText[state]}</span>
      <progress max={total} value={total - free} aria-label={`${session.session_name}: booked`} />
      <span className="free">
        <b className="slots">{free}</b> <span className="soft">of {total} free</span>
      </span>
      {canBook && state !== 'over' && <BookForm desk={desk} session={session} />}
    </li>
  );
}

export function Sessions(props: { desk: Desk; sessions: readonly Session[]; canBook: boolean }): ReactElement {
  return (
    <section className="card" aria-label="Sessions">
      <h3>Sessions</h3>
      {props.sessions.length === 0 && <p className="soft">Nothing to book at the moment.</p>}
      <ul className="sessions">
        {props.sessions.map((session) => (
          <Row key={session.session_id} desk={props.desk} session={session} canBook={props.canBook} />
        ))}
      </ul>
    </section>
  );
}
