// The Vue half as one sees it.
import type { ConnectionStatus } from 'kilat-js';
import { computed, defineComponent, ref, type PropType } from 'vue';

import type { Desk } from '../desk';
import { lineText } from '../live';
import { Bookings } from './bookings';
import { Sessions } from './sessions';
import { useBooking, useOwnBookings, type Booked } from './use_booking';

const kDesk = { type: Object as PropType<Desk>, required: true } as const;
const kBooked = { type: Object as PropType<Booked>, required: true } as const;
const kStatus = { type: Object as PropType<ConnectionStatus>, required: true } as const;

const OwnChannels = defineComponent({
  props: { desk: kDesk, userId: { type: String, required: true } },
  setup({ desk, userId }) {
    useOwnBookings(desk, userId);
    return () => null;
  },
});

/** Also of the admin's card. */
export const SignIn = defineComponent({
  props: { desk: kDesk, name: { type: String, required: true } },
  setup({ desk, name }) {
    const login = ref(name);
    const password = ref(`${name}-demo`);
    const busy = ref(false);
    const submit = (): void => {
      busy.value = true;
      void desk.signIn(login.value, password.value).finally(() => (busy.value = false));
    };
    return { login, password, busy, submit };
  },
  template: `
    <form class="row signin" aria-label="Sign in" @submit.prevent="submit">
      <input v-model="login" aria-label="Name" autocomplete="username">
      <input v-model="password" aria-label="Password" type="password" autocomplete="current-password">
      <button class="main" :disabled="busy">Sign in</button>
      <slot></slot>
    </form>`,
});

/** Also of the admin's card: title, connection, who is signed in. */
export const Head = defineComponent({
  props: { desk: kDesk, status: kStatus, title: { type: String, required: true }, booked: kBooked },
  setup({ booked }) {
    return {
      snapshot: booked.snapshot,
      connected: booked.connected,
      line: booked.line,
      badge: computed(() => lineText(booked.line.value)),
    };
  },
  template: `
    <div class="head">
      <h2>{{ title }}</h2>
      <span class="badge line" :class="badge.tone" :data-connected="connected" role="status">{{ badge.text }}</span>
      <button v-if="line.state === 'failed'" @click="status.retry()">Try again</button>
      <span class="spacer"></span>
      <template v-if="snapshot.account">
        <span class="who" :data-listening="snapshot.listening">{{ snapshot.account.name }}</span>
        <button @click="desk.signOut">Sign out</button>
      </template>
    </div>`,
});

export const Notices = defineComponent({
  props: { desk: kDesk, notices: { type: Array as PropType<readonly object[]>, required: true } },
  template: `
    <div class="notices" role="status">
      <div v-for="notice in notices" :key="notice.id" class="toast" :class="notice.tone">
        <span>{{ notice.text }}</span>
        <button aria-label="Dismiss" @click="desk.dismiss(notice.id)">×</button>
      </div>
    </div>`,
});

export const Half = defineComponent({
  components: { Bookings, Head, Notices, OwnChannels, Sessions, SignIn },
  props: { desk: kDesk, status: kStatus },
  setup({ desk, status }) {
    const booked = useBooking(desk, status);
    return { booked: () => booked, snapshot: booked.snapshot };
  },
  template: `
    <Head :desk="desk" :status="status" :booked="booked()" title="Vue" />
    <OwnChannels v-if="snapshot.account" :key="snapshot.account.id" :desk="desk" :user-id="snapshot.account.id" />
    <SignIn v-else :desk="desk" name="ben">
      <p class="soft hint">
        To try: <code>ana</code>, <code>ben</code>, <code>chen</code>, <code>dina</code>, each with the password
        <code>NAME-demo</code>.
      </p>
    </SignIn>
    <Sessions :desk="desk" :sessions="snapshot.sessions" :can-book="snapshot.account !== null" />
    <Bookings v-if="snapshot.account" :desk="desk" :bookings="snapshot.bookings" :sessions="snapshot.sessions"
              :busy="snapshot.busy" />
    <Notices :desk="desk" :notices="snapshot.notices" />`,
});
