import '@patternfly/react-core/dist/styles/base.css';
import './theme/remuda.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { keepTheme } from './theme/theme.ts';

keepTheme();
const place = document.querySelector('#root');
if (place === null) throw new Error('index.html has no #root');
createRoot(place).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
