// The list of sessions, with what is free of each.
import { computed, defineComponent, ref, type PropType } from 'vue';

import type { Desk } from '../desk';
import { availability, dateText, kAvailabilityText, kAvailabilityTone, seatChoices, type Session } from '../model';

const kDesk = { type: Object as PropType<Desk>, required: true } as const;
const kSession = { type: Object as PropType<Session>, required: true } as const;

const BookForm = defineComponent({
  props: { desk: kDesk, session: kSession },
  setup(props) {
    const wanted = ref(1);
    const busy = ref(false);
    const choices = computed(() => seatChoices(props.session));
    const seats = computed({
      get: () => Math.min(wanted.value, choices.value.length),
      set: (count: number) => (wanted.value = count),
    });
    const submit = (): void => {
      busy.value = true;
      void props.desk.book(props.session.session_id, seats.value).finally(() => (busy.value = false));
    };
    return { choices, seats, busy, submit };
  },
  template: `
    <form class="book" @submit.prevent="submit">
      <select v-model="seats" :aria-label="'Seats for ' + session.session_name" :disabled="choices.length === 0">
        <option v-for="count in choices" :key="count" :value="count">{{ count }}</option>
      </select>
      <button class="main" :disabled="busy || choices.length === 0">Book</button>
    </form>`,
});

export const Sessions = defineComponent({
  components: { BookForm },
  props: {
    desk: kDesk,
    sessions: { type: Array as PropType<readonly Session[]>, required: true },
    canBook: { type: Boolean, required: true },
  },
  setup(props) {
    const rows = computed(() => props.sessions.map((session) => ({ session, state: availability(session) })));
    return { rows, dateText, text: kAvailabilityText, tone: kAvailabilityTone };
  },
  template: `
    <section class="card" aria-label="Sessions">
      <h3>Sessions</h3>
      <p v-if="rows.length === 0" class="soft">Nothing to book at the moment.</p>
      <ul class="sessions">
        <li v-for="{ session, state } in rows" :key="session.session_id" class="session"
            :data-session="session.session_id" :data-state="state">
          <div class="what">
            <strong>{{ session.session_name }}</strong>
            <span class="soft">{{ dateText(session.date) }}</span>
          </div>
          <span class="badge" :class="tone[state]">{{ text[state] }}</span>
          <progress :max="session.total_capacity" :value="session.total_capacity - session.available_slots"
                    :aria-label="session.session_name + ': booked'"></progress>
          <span class="free">
            <b class="slots">{{ session.available_slots }}</b>
            <span class="soft"> of {{ session.total_capacity }} free</span>
          </span>
          <BookForm v-if="canBook && state !== 'over'" :desk="desk" :session="session" />
        </li>
      </ul>
    </section>`,
});
