// The React half: its own bundle, because @laravel/echo-react keeps one Echo for all hooks of a bundle.
import { configureEcho, echo } from '@laravel/echo-react';
import { createRoot } from 'react-dom/client';

import { element } from '../../common/page/kit';
import { Desk } from './desk';
import { connect } from './live';
import { Half } from './react/half';

const desk = new Desk('react');
const line = connect({ configureEcho, echo }, 'react', desk.token, desk.load);
createRoot(element('react')).render(<Half desk={desk} line={line} />);
