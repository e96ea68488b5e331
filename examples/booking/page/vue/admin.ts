// The admin's card: new sessions, capacities, notifications, and the bookings of all users, whose private channels an
// admin may read.
import { useEcho, useEchoPublic } from '@laravel/echo-vue';
import type { ConnectionStatus } from 'kilat-js';
import { computed, defineComponent, reactive, ref, type PropType } from 'vue';

import type { Desk } from '../desk';
import type { BookingStatusUpdated, Session } from '../model';
import { Bookings } from './bookings';
import { Head, Notices, SignIn } from './half';
import { useBooking } from './use_booking';

const kDesk = { type: Object as PropType<Desk>, required: true } as const;
/** Private channels that are read at once: those of the users who booked last. */
const kUsersMax = 100;

/** Reads the bookings of one user. */
const Watch = defineComponent({
  props: { desk: kDesk, userId: { type: String, required: true } },
  setup({ desk, userId }) {
    const { channel } = useEcho<BookingStatusUpdated>(`booking.${userId}`, '.BookingStatusUpdated', desk.onBooking);
    channel().error((error: { status?: number }) => desk.onRefused(`The bookings of user ${userId}`, error));
    return () => null;
  },
});

const NewSession = defineComponent({
  props: { desk: kDesk },
  setup({ desk }) {
    const form = reactive({ name: '', date: '', capacity: 20 });
    return { form, submit: () => void desk.addSession(form.name, form.date, form.capacity) };
  },
  template: `
    <form class="card stack" aria-label="New session" @submit.prevent="submit">
      <h3>New session</h3>
      <label>Name <input v-model="form.name" required maxlength="80" placeholder="Watercolours"></label>
      <label>Date <input v-model="form.date" type="datetime-local" required></label>
      <label>Seats <input v-model.number="form.capacity" type="number" required min="1" max="10000"></label>
      <button class="main">Open for bookings</button>
    </form>`,
});

const Capacities = defineComponent({
  props: { desk: kDesk, sessions: { type: Array as PropType<readonly Session[]>, required: true } },
  setup({ desk }) {
    const wanted = reactive<Record<number, number>>({});
    const save = async (session: Session): Promise<void> => {
      await desk.setCapacity(session.session_id, wanted[session.session_id] ?? session.total_capacity);
      delete wanted[session.session_id];
    };
    return { wanted, save };
  },
  template: `
    <section class="card" aria-label="Capacities">
      <h3>Capacities</h3>
      <form v-for="session in sessions" :key="session.session_id" class="capacity" :data-session="session.session_id"
            @submit.prevent="save(session)">
        <label>
          <span>{{ session.session_name }}
            <span class="soft">{{ session.total_capacity - session.available_slots }} booked</span></span>
          <input type="number" required min="1" max="10000" :value="wanted[session.session_id] ?? session.total_capacity"
                 @input="wanted[session.session_id] = Number($event.target.value)">
        </label>
        <button>Set</button>
      </form>
    </section>`,
});

const Announce = defineComponent({
  props: { desk: kDesk },
  setup({ desk }) {
    const message = ref('');
    const level = ref('info');
    const submit = (): void => {
      void desk.send('/api/notifications', { message: message.value, level: level.value }, 'Sent to everybody');
    };
    return { message, level, submit };
  },
  template: `
    <form class="card stack" aria-label="Notification" @submit.prevent="submit">
      <h3>Notification to everybody</h3>
      <label>Message <input v-model="message" required maxlength="200" placeholder="Doors open at 18:30"></label>
      <label>Level
        <select v-model="level">
          <option value="info">Info</option>
          <option value="warning">Warning</option>
          <option value="critical">Critical</option>
        </select>
      </label>
      <button class="main">Send</button>
    </form>`,
});

export const Admin = defineComponent({
  components: { Announce, Bookings, Capacities, Head, NewSession, Notices, SignIn, Watch },
  props: { desk: kDesk, status: { type: Object as PropType<ConnectionStatus>, required: true } },
  setup({ desk, status }) {
    const booked = useBooking(desk, status);
    // A first booking of a user comes on a channel that nobody here reads yet, but it changes what is free.
    useEchoPublic('availability', '.AvailabilityUpdated', desk.load);
    const users = computed(() => {
      return [...new Set(booked.snapshot.value.bookings.map(({ user_id }) => user_id))].slice(0, kUsersMax);
    });
    const isAdmin = computed(() => booked.snapshot.value.account?.roles.includes('admin') ?? false);
    return { booked: () => booked, snapshot: booked.snapshot, users, isAdmin };
  },
  template: `
    <Head :desk="desk" :status="status" :booked="booked()" title="Admin" />
    <SignIn v-if="!snapshot.account" :desk="desk" name="admin">
      <p class="soft hint">To try: <code>admin</code> with the password <code>admin-demo</code>.</p>
    </SignIn>
    <p v-else-if="!isAdmin" class="soft">{{ snapshot.account.name }} is not an admin.</p>
    <div v-else class="desk">
      <Watch v-for="user in users" :key="user" :desk="desk" :user-id="user" />
      <NewSession :desk="desk" />
      <Capacities :desk="desk" :sessions="snapshot.sessions" />
      <Announce :desk="desk" />
      <Bookings :desk="desk" :bookings="snapshot.bookings" :sessions="snapshot.sessions" :busy="snapshot.busy" admin />
    </div>
    <Notices :desk="desk" :notices="snapshot.notices" />`,
});
