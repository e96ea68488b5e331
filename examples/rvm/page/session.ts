// The login of this tab: it outlives a reload, not the tab.
import type { Session } from './types.ts';

const kKey = 'rvm.session';

export function readSession(): Session | null {
  try {
    const stored = JSON.parse(sessionStorage.getItem(kKey) ?? 'null') as Session | null;
    return typeof stored?.token === 'string' && Array.isArray(stored.user?.roles) ? stored : null;
  } catch {
    return null;
  }
}

export function writeSession(session: Session): void {
  sessionStorage.setItem(kKey, JSON.stringify(session));
}

export function clearSession(): void {
  sessionStorage.removeItem(kKey);
}
