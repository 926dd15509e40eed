import type { GraphiQLProps } from 'graphiql';
import type { Page } from './page';

export interface Settings {
  key: string;
  version: string;
}

export interface Seen {
  environment: string | null;
  instance: string | null;
}

/** Sends a query to this instance, and lets no answer of another one through. */
export function createFetcher(
  page: Page,
  settings: () => Settings,
  onForeign: (seen: Seen) => void,
): GraphiQLProps['fetcher'] {
  return async (query, options) => {
    const { key, version } = settings();
    const headers = new Headers(options?.headers);
    headers.set('Accept', 'application/json');
    headers.set('Content-Type', 'application/json');
    headers.set('X-Expect-Environment', page.environment);
    if (version) headers.set('Healthie-GraphQL-API-Version', version);
    if (key) {
      headers.set('Authorization', `Basic ${key}`);
      headers.set('AuthorizationSource', 'API');
    }
    const response = await fetch('/graphql', {
      method: 'POST',
      headers,
      body: JSON.stringify(query),
      credentials: 'omit', // the key in the panel says who asks, never a cookie
      mode: 'same-origin',
      redirect: 'error',
      cache: 'no-store',
    });
    const seen = {
      environment: response.headers.get('X-Environment'),
      instance: response.headers.get('X-Instance'),
    };
    if (seen.environment !== page.environment || seen.instance !== page.instance) {
      onForeign(seen);
      throw new Error('This answer came from another environment and is not shown.');
    }
    const text = await response.text();
    try {
      return JSON.parse(text);
    } catch {
      throw new Error(`HTTP ${response.status}, not JSON: ${text.slice(0, 500)}`);
    }
  };
}
