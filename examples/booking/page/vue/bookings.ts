// The bookings of who is signed in; of all users for the admin.
import { computed, defineComponent, type PropType } from 'vue';

import type { Desk } from '../desk';
import { kStatusTone, timeText, type Booking, type Session } from '../model';

export const Bookings = defineComponent({
  props: {
    desk: { type: Object as PropType<Desk>, required: true },
    bookings: { type: Array as PropType<readonly Booking[]>, required: true },
    sessions: { type: Array as PropType<readonly Session[]>, required: true },
    busy: { type: Array as PropType<readonly number[]>, required: true },
    admin: { type: Boolean, default: false },
  },
  setup(props) {
    const names = computed(() => new Map(props.sessions.map((session) => [session.session_id, session.session_name])));
    const nameOf = (id: number): string => names.value.get(id) ?? `session ${id}`;
    return { nameOf, timeText, tone: kStatusTone };
  },
  template: `
    <section class="card" :aria-label="admin ? 'All bookings' : 'My bookings'">
      <h3>{{ admin ? 'All bookings' : 'My bookings' }}</h3>
      <p v-if="bookings.length === 0" class="soft">None yet.</p>
      <table class="bookings">
        <tbody>
          <tr v-for="booking in bookings" :key="booking.booking_id" :data-booking="booking.booking_code"
              :data-status="booking.status" :data-payment="booking.payment_status">
            <td>
              <code>{{ booking.booking_code }}</code> <span v-if="admin">{{ booking.user_name }}</span>
              <div class="soft">{{ booking.seats }} × {{ nameOf(booking.session_id) }}</div>
            </td>
            <td>
              <div class="tags">
                <span class="badge" :class="tone[booking.status]">{{ booking.status }}</span>
                <span class="badge" :class="tone[booking.payment_status]">{{ booking.payment_status }}</span>
              </div>
              <div v-if="booking.hold_until" class="soft">held until {{ timeText(booking.hold_until) }}</div>
            </td>
            <td class="actions">
              <template v-if="booking.status !== 'cancelled'">
                <button v-if="admin && booking.status === 'pending'" :disabled="busy.includes(booking.booking_id)"
                        @click="desk.confirm(booking.booking_id)">
                  Confirm
                </button>
                <button v-if="!admin && booking.payment_status === 'unpaid'" :disabled="busy.includes(booking.booking_id)"
                        @click="desk.pay(booking.booking_id)">
                  Pay
                </button>
                <button :disabled="busy.includes(booking.booking_id)" @click="desk.cancel(booking.booking_id)">
                  Cancel
                </button>
              </template>
            </td>
          </tr>
        </tbody>
      </table>
    </section>`,
});
