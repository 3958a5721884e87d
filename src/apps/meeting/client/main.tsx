import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { Speaking } from './i18n/words.tsx';
import './styles/base.css';
import './styles/join.css';

const page = document.getElementById('page');
if (page === null) throw new Error('the page has no place for the client');
createRoot(page).render(
  <StrictMode>
    <Speaking>
      <App />
    </Speaking>
  </StrictMode>,
);
