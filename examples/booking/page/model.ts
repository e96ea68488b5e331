// What the server sends, and what the pages make of it. Shared by the React half, the Vue half and the admin; each
// is bundled with a copy of its own.

/** An entry of GET /api/sessions, and the event AvailabilityUpdated. */
export interface Session {
  session_id: number;
  session_name: string;
  date: string;
  available_slots: number;
  total_capacity: number;
  updated_at: string;
}

export interface CapacityUpdated {
  session_id: number;
  current_capacity: number;
  max_capacity: number;
}

export interface Booking {
  booking_id: number;
  booking_code: string;
  user_id: string;
  user_name: string;
  session_id: number;
  seats: number;
  status: 'pending' | 'confirmed' | 'cancelled';
  payment_status: 'unpaid' | 'paid' | 'refunded';
  hold_until: string | null;
  updated_at: string;
}

export type BookingStatusUpdated = Pick<
  Booking,
  'booking_id' | 'booking_code' | 'status' | 'payment_status' | 'updated_at'
>;
export type PaymentStatusUpdated = Pick<Booking, 'booking_id' | 'booking_code' | 'payment_status' | 'updated_at'>;

export interface SystemNotification {
  id: string;
  message: string;
  level: 'info' | 'warning' | 'critical';
}

export interface Account {
  id: string;
  name: string;
  roles: string[];
  token: string;
}

export type Availability = 'available' | 'almost-full' | 'full' | 'sold-out' | 'over';

/** How full a session is: almost full from 70 % on, full (the last seats) from 90 %; over once it has begun. */
export function availability(session: Session, now = Date.now()): Availability {
  if (Date.parse(session.date) <= now) return 'over';
  const booked = session.total_capacity - session.available_slots;
  if (session.available_slots <= 0) return 'sold-out';
  // In whole numbers: 0.7 * 10 is more than 7 in floating point.
  if (booked * 10 >= session.total_capacity * 9) return 'full';
  if (booked * 10 >= session.total_capacity * 7) return 'almost-full';
  return 'available';
}

export const kAvailabilityText: Record<Availability, string> = {
  available: 'Available',
  'almost-full': 'Almost full',
  full: 'Last seats',
  'sold-out': 'Sold out',
  over: 'Over',
};
export const kAvailabilityTone: Record<Availability, string> = {
  available: 'good',
  'almost-full': 'wait',
  full: 'bad',
  'sold-out': '',
  over: '',
};
export const kStatusTone: Record<string, string> = {
  pending: 'wait',
  confirmed: 'good',
  cancelled: '',
  unpaid: 'wait',
  paid: 'good',
  refunded: '',
};

/** The numbers of seats that one may book at once. */
export function seatChoices(session: Session): number[] {
  return Array.from({ length: Math.min(10, Math.max(session.available_slots, 0)) }, (_, index) => index + 1);
}

/** "Sat 5 Dec, 19:00", as the reader's language has it; with the year when it is another than this one. */
export function dateText(date: string): string {
  const time = new Date(date);
  return time.toLocaleString(undefined, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    ...(time.getFullYear() === new Date().getFullYear() ? {} : { year: 'numeric' }),
    hour: '2-digit',
    minute: '2-digit',
  });
}

export function timeText(date: string): string {
  return new Date(date).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
}

/** `known` with the records of `news` that are newer, or not known yet. Times are ISO 8601, so they compare as texts. */
export function merged<Item extends { updated_at: string }>(
  known: readonly Item[],
  news: readonly Item[],
  id: (item: Item) => number,
): Item[] {
  const all = new Map(known.map((item) => [id(item), item]));
  for (const item of news) {
    const before = all.get(id(item));
    if (!before || before.updated_at <= item.updated_at) all.set(id(item), item);
  }
  return [...all.values()];
}
