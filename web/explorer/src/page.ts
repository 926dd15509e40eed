// What the server wrote into the page, and what the page keeps in this tab.

export const environments = { sandbox: 'Sandbox', production: 'Production' } as const;
export type Environment = keyof typeof environments;

export interface Page {
  environment: Environment;
  instance: string;
}

/** The page's own facts, or null when the server did not fill them in. */
export function readPage({ environment, instance }: DOMStringMap): Page | null {
  if (!environment || !(environment in environments)) return null;
  if (!instance || !/^[0-9A-Za-z]{5}$/.test(instance)) return null;
  return { environment: environment as Environment, instance };
}

/**
 * Storage under names that carry environment and tag, and only until the tab is closed:
 * a key or a query about a patient does not stay on the machine.
 */
export function tabStorage({ environment, instance }: Page) {
  const prefix = `ward.explorer.${environment}.${instance}.`;
  const names = () => Object.keys(sessionStorage).filter((name) => name.startsWith(prefix));
  return {
    getItem: (name: string) => sessionStorage.getItem(prefix + name),
    setItem: (name: string, value: string) => sessionStorage.setItem(prefix + name, value),
    removeItem: (name: string) => sessionStorage.removeItem(prefix + name),
    clear: () => names().forEach((name) => sessionStorage.removeItem(name)),
    get length() {
      return names().length;
    },
  };
}
