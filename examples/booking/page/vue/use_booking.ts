// The composables of the Vue half: all that a component shows, kept up to date by those of @laravel/echo-vue.
import { useConnectionStatus, useEcho, useEchoPublic } from '@laravel/echo-vue';
import type { ConnectionSnapshot, ConnectionStatus } from 'kilat-js';
import { computed, onUnmounted, shallowRef, watch, type ComputedRef, type ShallowRef } from 'vue';

import type { Desk, Snapshot } from '../desk';
import type {
  BookingStatusUpdated,
  CapacityUpdated,
  PaymentStatusUpdated,
  Session,
  SystemNotification,
} from '../model';

interface Source<Value> {
  current(): Value;
  subscribe(listener: () => void): () => void;
}

/** What a store outside of Vue holds, as a ref. */
function useSource<Value>(source: Source<Value>): ShallowRef<Value> {
  const value = shallowRef(source.current());
  onUnmounted(source.subscribe(() => (value.value = source.current())));
  return value;
}

export interface Booked {
  snapshot: ShallowRef<Snapshot>;
  /** Whether events come at this moment. */
  connected: ComputedRef<boolean>;
  line: ShallowRef<ConnectionSnapshot>;
}

/** Of everybody. */
export function useBooking(desk: Desk, status: ConnectionStatus): Booked {
  const state = useConnectionStatus();
  const connected = computed(() => state.value === 'connected');
  useEchoPublic<Session>('availability', '.AvailabilityUpdated', desk.onAvailability);
  useEchoPublic<CapacityUpdated>('availability', '.CapacityUpdated', desk.onCapacity);
  useEchoPublic<SystemNotification>('notifications', '.SystemNotification', desk.onSystem);
  // At the start, and whenever the connection is back.
  watch(connected, () => void desk.load(), { immediate: true });
  return { snapshot: useSource<Snapshot>(desk), connected, line: useSource<ConnectionSnapshot>(status) };
}

/** Of one user: `booking.ID` keeps the table, `user.ID` brings the news. */
export function useOwnBookings(desk: Desk, userId: string): void {
  const table = useEcho<BookingStatusUpdated>(`booking.${userId}`, '.BookingStatusUpdated', desk.onBooking);
  const news = useEcho<BookingStatusUpdated>(`user.${userId}`, '.BookingStatusUpdated', desk.onBookingNews);
  useEcho<PaymentStatusUpdated>(`user.${userId}`, '.PaymentStatusUpdated', desk.onPaymentNews);
  table.channel().error((error: { status?: number }) => desk.onRefused('Your bookings', error));
  news.channel().subscribed(desk.onListening);
  news.channel().error((error: { status?: number }) => desk.onRefused('Your notifications', error));
}
