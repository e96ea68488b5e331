// The admin's card: a third client, with an Echo of its own.
import { configureEcho, echo } from '@laravel/echo-vue';
import { createApp } from 'vue';

import { Desk } from './desk';
import { connect } from './live';
import { Admin } from './vue/admin';

const desk = new Desk('admin');
const line = connect({ configureEcho, echo }, 'admin', desk.token, desk.load);
createApp(Admin, { desk, status: line }).mount('#admin');
