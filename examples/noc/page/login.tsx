import { useState, type FormEvent, type ReactElement } from 'react';

import { kViewer, logIn } from './session.ts';
import type { Session } from './types.ts';

const kAccounts = [
  ['admin', 'admin-demo', 'everything'],
  ['operator', 'operator-demo', 'everything'],
  ['acme', 'acme-demo', 'Acme Logistics'],
  ['harbor', 'harbor-demo', 'Harbor Foods'],
] as const;

export function Login({ message, onSession }: { message: string; onSession(session: Session): void }): ReactElement {
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState(message);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (login.trim() === '') return setError('enter a name');
    try {
      onSession(await logIn(login, password));
    } catch (failure) {
      setError((failure as Error).message);
    }
  }

  return (
    <main className="login card">
      <h1>Network operations centre</h1>
      <form onSubmit={(event) => void submit(event)}>
        <label>
          Name
          <input name="login" autoComplete="username" value={login} onChange={(event) => setLogin(event.target.value)} />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" value={password}
            onChange={(event) => setPassword(event.target.value)} />
        </label>
        {error && <p className="problem" role="alert">{error}</p>}
        <button className="main">Log in</button>
        <button type="button" onClick={() => onSession(kViewer)}>Continue as viewer</button>
      </form>
      <h2>Accounts of the demonstration</h2>
      <ul className="accounts">
        {kAccounts.map(([name, word, sees]) => (
          <li key={name}>
            <button type="button" onClick={() => { setLogin(name); setPassword(word); }}>
              {name} / {word}
            </button>
            <span className="soft">sees {sees}</span>
          </li>
        ))}
      </ul>
      <p className="soft">A viewer sees which devices are up, and the figures of this machine.</p>
    </main>
  );
}
