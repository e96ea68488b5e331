// The Vue half: its own bundle, because @laravel/echo-vue keeps one Echo for all composables of a bundle.
import { configureEcho, echo } from '@laravel/echo-vue';
import { createApp } from 'vue';

import { Desk } from './desk';
import { connect } from './live';
import { Half } from './vue/half';

const desk = new Desk('vue');
const line = connect({ configureEcho, echo }, 'vue', desk.token, desk.load);
createApp(Half, { desk, status: line }).mount('#vue');
