import { createRoot } from 'react-dom/client';
import { App } from './App';
import { readPage } from './page';

const page = readPage(document.documentElement.dataset);

createRoot(document.getElementById('root')!).render(
  page ? (
    <App page={page} />
  ) : (
    <p className="ward-message" role="alert">
      The server did not say which environment this page belongs to, so the explorer stays closed.
    </p>
  ),
);
