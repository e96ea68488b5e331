// The hook of the React half: all that a component shows, kept up to date by the hooks of @laravel/echo-react.
import { useConnectionStatus, useEcho, useEchoPublic } from '@laravel/echo-react';
import type { ConnectionSnapshot, ConnectionStatus } from 'kilat-js';
import { useEffect, useSyncExternalStore } from 'react';

import type { Desk, Snapshot } from '../desk';
import type {
  BookingStatusUpdated,
  CapacityUpdated,
  PaymentStatusUpdated,
  Session,
  SystemNotification,
} from '../model';

export interface Booked extends Snapshot {
  /** Whether events come at this moment. */
  connected: boolean;
  line: ConnectionSnapshot;
}

/** Of everybody. */
export function useBooking(desk: Desk, status: ConnectionStatus): Booked {
  const snapshot = useSyncExternalStore(desk.subscribe, desk.current);
  const line = useSyncExternalStore(status.subscribe, status.current);
  const connected = useConnectionStatus() === 'connected';
  useEchoPublic<Session>('availability', '.AvailabilityUpdated', desk.onAvailability);
  useEchoPublic<CapacityUpdated>('availability', '.CapacityUpdated', desk.onCapacity);
  useEchoPublic<SystemNotification>('notifications', '.SystemNotification', desk.onSystem);
  // At the start, and whenever the connection is back.
  useEffect(() => void desk.load(), [desk, connected]);
  return { ...snapshot, connected, line };
}

/** Of who is signed in: `booking.ID` keeps the table, `user.ID` brings the news. */
export function useOwnBookings(desk: Desk, userId: string): void {
  const table = useEcho<BookingStatusUpdated>(`booking.${userId}`, '.BookingStatusUpdated', desk.onBooking);
  const news = useEcho<BookingStatusUpdated>(`user.${userId}`, '.BookingStatusUpdated', desk.onBookingNews);
  useEcho<PaymentStatusUpdated>(`user.${userId}`, '.PaymentStatusUpdated', desk.onPaymentNews);
  useEffect(() => {
    table.channel()?.error((error: { status?: number }) => desk.onRefused('Your bookings', error));
    news.channel()?.subscribed(desk.onListening);
    news.channel()?.error((error: { status?: number }) => desk.onRefused('Your notifications', error));
  }, [desk, table, news]);
}
