// The React half as one sees it.
import type { ConnectionStatus } from 'kilat-js';
import { useState, type FormEvent, type ReactElement } from 'react';

import type { Desk } from '../desk';
import { lineText } from '../live';
import { Bookings } from './bookings';
import { Sessions } from './sessions';
import { useBooking, useOwnBookings } from './use_booking';

function OwnChannels({ desk, userId }: { desk: Desk; userId: string }): null {
  useOwnBookings(desk, userId);
  return null;
}

function SignIn({ desk }: { desk: Desk }): ReactElement {
  const [login, setLogin] = useState('ana');
  const [password, setPassword] = useState('ana-demo');
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    void desk.signIn(login, password).finally(() => setBusy(false));
  };
  return (
    <form className="row signin" onSubmit={submit} aria-label="Sign in">
      <input aria-label="Name" autoComplete="username" value={login} onChange={(e) => setLogin(e.target.value)} />
      <input
        aria-label="Password"
        type="password"
        autoComplete="current-password"
        value={password}
        onChange={(e) => setPassword(e.target.value)}
      />
      <button className="main" disabled={busy}>
        Sign in
      </button>
      <p className="soft hint">
        To try: <code>ana</code>, <code>ben</code>, <code>chen</code>, <code>dina</code>, each with the password{' '}
        <code>NAME-demo</code>.
      </p>
    </form>
  );
}

export function Half({ desk, line: status }: { desk: Desk; line: ConnectionStatus }): ReactElement {
  const { account, sessions, bookings, busy, notices, listening, connected, line } = useBooking(desk, status);
  const badge = lineText(line);
  return (
    <>
      <div className="head">
        <h2>React</h2>
        <span className={`badge line ${badge.tone}`} data-connected={connected} role="status">
          {badge.text}
        </span>
        {line.state === 'failed' && <button onClick={() => status.retry()}>Try again</button>}
        <span className="spacer" />
        {account && (
          <>
            <span className="who" data-listening={listening}>
              {account.name}
            </span>
            <button onClick={desk.signOut}>Sign out</button>
          </>
        )}
      </div>
      {account ? <OwnChannels key={account.id} desk={desk} userId={account.id} /> : <SignIn desk={desk} />}
      <Sessions desk={desk} sessions={sessions} canBook={account !== null} />
      {account && <Bookings desk={desk} bookings={bookings} sessions={sessions} busy={busy} />}
      <div className="notices" role="status">
        {notices.map((notice) => (
          <div key={notice.id} className={`toast ${notice.tone}`}>
            <span>{notice.text}</span>
            <button aria-label="Dismiss" onClick={() => desk.dismiss(notice.id)}>
              ×
            </button>
          </div>
        ))}
      </div>
    </>
  );
}
