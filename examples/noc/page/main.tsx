// The page of the network operations centre.
import { createRoot } from 'react-dom/client';

import { element } from '../../common/page/kit.ts';
import { App } from './app.tsx';

createRoot(element('root')).render(<App />);
