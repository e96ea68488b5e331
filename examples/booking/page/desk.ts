// What one half knows and does: who is signed in, sessions, bookings, notices. No framework: a React hook and a Vue
// composable show its snapshots. Bounds: kNoticesMax notices, and what the server lists.
import { kToastMs, request, RequestError } from '../../common/page/kit';
import {
  merged,
  type Account,
  type Booking,
  type BookingStatusUpdated,
  type CapacityUpdated,
  type PaymentStatusUpdated,
  type Session,
  type SystemNotification,
} from './model';

export interface Notice {
  id: number;
  text: string;
  tone: string;
}

/** Immutable: a change makes a new one. */
export interface Snapshot {
  readonly account: Account | null;
  readonly sessions: readonly Session[];
  readonly bookings: readonly Booking[];
  readonly notices: readonly Notice[];
  /** Whether the private channels are read, so that news of one's own bookings come. */
  readonly listening: boolean;
  /** Ids of the bookings that are being changed: one request at a time each. */
  readonly busy: readonly number[];
}

const kNoticesMax = 5;
/** How often the clock is looked at: a session may be over by now. */
const kClockMs = 30_000;
/** Pauses before a booking whose answer was lost is asked for again. */
const kRetryPausesMs = [500, 1500, 3000];
const kLevelTone = { info: '', warning: 'wait', critical: 'bad' };
/** crypto.randomUUID() is missing where a page came over http from another host. */
const freshKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

function newestFirst(a: Booking, b: Booking): number {
  return b.booking_id - a.booking_id;
}

function byDate(a: Session, b: Session): number {
  return a.date.localeCompare(b.date) || a.session_id - b.session_id;
}

export class Desk {
  #snapshot: Snapshot = { account: null, sessions: [], bookings: [], notices: [], listening: false, busy: [] };
  #listeners = new Set<() => void>();
  #noticeId = 0;
  #loading: Promise<void> | null = null;
  #loadAgain = false;
  #seen: string[] = [];

  /** `name` of the half: its sign-in outlives a reload of the page. */
  constructor(private readonly name: string) {
    const kept = sessionStorage.getItem(`booking:${name}`);
    if (kept) this.#set({ account: JSON.parse(kept) as Account });
    setInterval(() => this.#set({ sessions: [...this.#snapshot.sessions] }), kClockMs);
  }

  readonly current = (): Snapshot => this.#snapshot;
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly token = (): string | null => this.#snapshot.account?.token ?? null;

  async signIn(login: string, password: string): Promise<void> {
    await this.#attempt(async () => {
      type Answer = { token: string; user: Omit<Account, 'token'> };
      const { token, user } = await request<Answer>('/api/login', { body: { login, password } });
      const account = { ...user, token };
      sessionStorage.setItem(`booking:${this.name}`, JSON.stringify(account));
      this.#set({ account });
      await this.load();
    });
  }

  readonly signOut = (): void => {
    sessionStorage.removeItem(`booking:${this.name}`);
    this.#set({ account: null, bookings: [], listening: false });
  };

  /** Fetches what is so now. Whatever an event has told since is newer, and stays. */
  readonly load = (): Promise<void> => {
    this.#loadAgain = this.#loading !== null;
    this.#loading ??= this.#attempt(() => this.#fetch()).finally(() => {
      this.#loading = null;
      if (this.#loadAgain) void this.load();
    });
    return this.#loading;
  };

  async #fetch(): Promise<void> {
    const { sessions } = await request<{ sessions: Session[] }>('/api/sessions');
    this.#takeSessions(sessions);
    const { account } = this.#snapshot;
    if (!account) return;
    const { bookings } = await request<{ bookings: Booking[] }>('/api/bookings', { token: account.token });
    // Somebody else may have signed in meanwhile.
    if (this.#snapshot.account === account) this.#takeBookings(bookings);
  }

  readonly onAvailability = (session: Session): void => this.#takeSessions([session]);

  readonly onCapacity = ({ session_id, max_capacity }: CapacityUpdated): void => {
    const session = this.#snapshot.sessions.find((known) => known.session_id === session_id);
    this.notify(`${session?.session_name ?? 'A session'} now has ${max_capacity} seats`);
  };

  readonly onBooking = (event: BookingStatusUpdated): void => {
    const known = this.#snapshot.bookings.find(({ booking_id }) => booking_id === event.booking_id);
    // Made in another window: the event does not say for what.
    if (!known) void this.load();
    else this.#takeBookings([{ ...known, ...event, hold_until: event.status === 'pending' ? known.hold_until : null }]);
  };

  readonly onBookingNews = ({ booking_code, status }: BookingStatusUpdated): void => {
    this.notify(`Booking ${booking_code} is ${status}`, status === 'confirmed' ? 'good' : 'wait');
  };

  readonly onPaymentNews = ({ booking_code, payment_status }: PaymentStatusUpdated): void => {
    this.notify(`Payment of ${booking_code}: ${payment_status}`, payment_status === 'paid' ? 'good' : '');
  };

  readonly onSystem = ({ id, message, level }: SystemNotification): void => {
    // After a crash of the server it may come a second time.
    if (this.#seen.includes(id)) return;
    this.#seen = [...this.#seen.slice(-50), id];
    this.notify(message, kLevelTone[level]);
  };

  readonly onListening = (): void => this.#set({ listening: true });

  readonly onRefused = (channel: string, { status }: { status?: number }): void => {
    if (status === 401) this.signOut();
    this.notify(`${channel} is refused (${status ?? 'no answer'})${status === 401 ? ': sign in again' : ''}`, 'bad');
  };

  /** A message that goes away by itself after five seconds. */
  notify(text: string, tone = ''): void {
    const id = ++this.#noticeId;
    this.#set({ notices: [...this.#snapshot.notices.slice(1 - kNoticesMax), { id, text, tone }] });
    setTimeout(() => this.dismiss(id), kToastMs);
  }

  dismiss(id: number): void {
    this.#set({ notices: this.#snapshot.notices.filter((notice) => notice.id !== id) });
  }

  /** Books; a lost answer is asked for again with the same key, so that it is one booking in any case. */
  async book(session_id: number, seats: number): Promise<void> {
    const headers = { 'Idempotency-Key': freshKey() };
    await this.#attempt(async () => {
      for (const pause of [...kRetryPausesMs, 0]) {
        try {
          const options = { token: this.token(), body: { session_id, seats }, headers };
          this.#takeBookings([await request<Booking>('/api/bookings', options)]);
          return;
        } catch (error) {
          if (error instanceof RequestError || pause === 0) throw error;
          await new Promise((done) => setTimeout(done, pause));
        }
      }
    });
  }

  readonly pay = (id: number): Promise<void> => this.#change(id, 'pay');
  readonly cancel = (id: number): Promise<void> => this.#change(id, 'cancel');
  readonly confirm = (id: number): Promise<void> => this.#change(id, 'confirm');

  async addSession(name: string, date: string, capacity: number): Promise<void> {
    await this.send<Session>('/api/sessions', { name, date, capacity }, `${name} is open for bookings`);
  }

  async setCapacity(session_id: number, capacity: number): Promise<void> {
    await this.#attempt(async () => {
      const options = { method: 'PUT', token: this.token(), body: { capacity } };
      this.#takeSessions([await request<Session>(`/api/sessions/${session_id}/capacity`, options)]);
    });
  }

  /** Posts; shows `done` when it is, or what is wrong. */
  async send<Answer>(path: string, body: object, done: string): Promise<void> {
    await this.#attempt(async () => {
      await request<Answer>(path, { token: this.token(), body });
      this.notify(done, 'good');
    });
  }

  async #change(id: number, what: string): Promise<void> {
    if (this.#snapshot.busy.includes(id)) return; // a second click
    this.#set({ busy: [...this.#snapshot.busy, id] });
    await this.#attempt(async () => {
      const options = { method: 'POST', token: this.token() };
      this.#takeBookings([await request<Booking>(`/api/bookings/${id}/${what}`, options)]);
    });
    this.#set({ busy: this.#snapshot.busy.filter((other) => other !== id) });
  }

  /** Runs something that may fail, and shows why. */
  async #attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (error instanceof RequestError && error.status === 401 && this.#snapshot.account) this.signOut();
      this.notify(error instanceof RequestError ? error.message : 'The server does not answer', 'bad');
    }
  }

  #takeSessions(news: Session[]): void {
    const sessions = merged(this.#snapshot.sessions, news, (session) => session.session_id);
    this.#set({ sessions: sessions.sort(byDate) });
  }

  #takeBookings(news: Booking[]): void {
    const bookings = merged(this.#snapshot.bookings, news, (booking) => booking.booking_id);
    this.#set({ bookings: bookings.sort(newestFirst) });
  }

  #set(change: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of this.#listeners) listener();
  }
}
