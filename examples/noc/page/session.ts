// Who uses the page. All tabs of the browser are the same person, so it is kept in their common storage.
import { request } from '../../common/page/kit.ts';
import type { Session, User } from './types.ts';

const kKey = 'noc.session';

export const kViewer: Session = { token: null, user: null };

/** null: nobody has decided yet. */
export function storedSession(): Session | null {
  try {
    return JSON.parse(localStorage.getItem(kKey) ?? 'null') as Session | null;
  } catch {
    return null;
  }
}

export function storeSession(session: Session | null): void {
  if (session) localStorage.setItem(kKey, JSON.stringify(session));
  else localStorage.removeItem(kKey);
}

/** Calls back when another tab logs in or out. */
export function watchSession(callback: (session: Session | null) => void): () => void {
  const listener = ({ key }: StorageEvent): void => {
    if (key === kKey || key === null) callback(storedSession());
  };
  addEventListener('storage', listener);
  return () => removeEventListener('storage', listener);
}

export async function logIn(login: string, password: string): Promise<Session> {
  const { token, user } = await request<{ token: string; user: User }>('/api/login', { body: { login, password } });
  return { token, user };
}
