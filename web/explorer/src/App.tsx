import { lazy, Suspense, useMemo, useRef, useState } from 'react';
import { createFetcher, type Seen } from './fetcher';
import { environments, tabStorage, type Page } from './page';

const Editor = lazy(() => import('./Editor'));

export function App({ page }: { page: Page }) {
  const storage = useMemo(() => tabStorage(page), [page]);
  const [key, setKey] = useState(() => storage.getItem('key') ?? '');
  const [version, setVersion] = useState(() => storage.getItem('version') ?? '');
  // The key as it was when the field was last left: only then the schema is read again.
  const [usedKey, setUsedKey] = useState(key);
  const [foreign, setForeign] = useState<Seen | null>(null);

  const settings = useRef({ key, version });
  settings.current = { key: key.trim(), version };

  const fetcher = useMemo(
    () => createFetcher(page, () => settings.current, setForeign),
    // usedKey and version make a new fetcher, and GraphiQL reads the schema anew with it.
    [page, usedKey, version],
  );

  const changeKey = (value: string) => {
    setKey(value);
    if (value) storage.setItem('key', value);
    else storage.removeItem('key');
  };
  const changeVersion = (value: string) => {
    setVersion(value);
    storage.setItem('version', value);
  };

  if (foreign) return <ForeignNotice page={page} seen={foreign} />;
  return (
    <>
      <form className="ward-panel" aria-label="Request settings" onSubmit={(event) => event.preventDefault()}>
        <label>
          API key for {environments[page.environment]} {page.instance}
          <input
            id="ward-key"
            type="password"
            autoComplete="off"
            spellCheck={false}
            value={key}
            onChange={(event) => changeKey(event.target.value)}
            onBlur={() => setUsedKey(key)}
            aria-describedby="ward-who"
          />
        </label>
        <label>
          API version
          <select id="ward-version" value={version} onChange={(event) => changeVersion(event.target.value)}>
            <option value="">no header</option>
            <option>2024-06-01</option>
            <option>2026-01-01</option>
          </select>
        </label>
        <p id="ward-who">
          {key ? 'Queries run as the owner of this key.' : 'No key: queries run signed out.'} Key and queries are kept in
          this tab until it is closed. <a href="/graphql/assets/static/licenses.txt">Licences</a>
        </p>
      </form>
      <main className="ward-editor">
        <Suspense fallback={<p className="ward-message">Loading the editor …</p>}>
          <Editor fetcher={fetcher} storage={storage} />
        </Suspense>
      </main>
    </>
  );
}

/** Takes the place of everything: nothing more is sent from a page whose server has changed. */
function ForeignNotice({ page, seen }: { page: Page; seen: Seen }) {
  return (
    <main
      className="ward-foreign"
      role="alertdialog"
      aria-modal="true"
      aria-labelledby="ward-foreign-title"
      aria-describedby="ward-foreign-text"
    >
      <h2 id="ward-foreign-title">Stop: another environment answered</h2>
      <p id="ward-foreign-text">
        This page belongs to {page.environment}, tag {page.instance}. The answer says{' '}
        {seen.environment ?? 'no environment'}, tag {seen.instance ?? 'none'}. It is not shown, and nothing more is sent
        from this page.
      </p>
      <button type="button" autoFocus onClick={() => location.reload()}>
        Load the page anew
      </button>
    </main>
  );
}
