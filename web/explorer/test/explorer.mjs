// The explorer page, in a real browser, against a running instance.
//
//   WARD_API_KEY=… node test/explorer.mjs --url http://127.0.0.1:4100 --environment sandbox --tag K7QF2
//
// Each option has a variable: WARD_URL, WARD_ENVIRONMENT, WARD_INSTANCE. The key, a secret, is
// never an argument; without one the query runs signed out. CHROMIUM names another browser,
// SCREENSHOT a file for a picture. One line for each check; exit code 0 when all hold, else 1.
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { WARD_URL, WARD_ENVIRONMENT, WARD_INSTANCE, WARD_API_KEY: key = '', CHROMIUM, SCREENSHOT } = process.env;
const { values } = parseArgs({
  options: {
    url: { type: 'string', default: WARD_URL },
    environment: { type: 'string', default: WARD_ENVIRONMENT },
    tag: { type: 'string', default: WARD_INSTANCE },
  },
});
const { url, environment, tag } = values;
if (!url || !tag || !['sandbox', 'production'].includes(environment)) {
  console.error('--url, --environment sandbox|production and --tag are needed');
  process.exit(2);
}
const origin = new URL(url).origin;
const [title, bar] = {
  sandbox: ['[Sandbox]', `SANDBOX, synthetic data, tag ${tag}`],
  production: ['[Production]', `PRODUCTION, live patients, tag ${tag}`],
}[environment];

let failed = 0;
async function check(name, run) {
  try {
    await run();
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}: ${String(error.message ?? error).split('\n')[0]}`);
  }
}
function equal(seen, wanted) {
  if (seen !== wanted) throw new Error(`saw ${JSON.stringify(seen)}, wanted ${JSON.stringify(wanted)}`);
}
function holds(fact, otherwise) {
  if (!fact) throw new Error(otherwise);
}

const browser = await chromium.launch({
  executablePath: CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']
    .concat(['--disable-component-update', '--disable-sync']),
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(15_000);
  const complaints = [];
  const foreign = [];
  const sent = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (request.method() === 'POST') sent.push(request);
    if (/^(data|blob):/.test(request.url())) return;
    if (new URL(request.url()).origin !== origin) foreign.push(request.url());
  });

  const answer = await page.goto(new URL('/graphql', url).href);
  await check('the page is served under a strict Content-Security-Policy', async () => {
    equal(answer.status(), 200);
    const policy = answer.headers()['content-security-policy'] ?? '';
    holds(/(default|script)-src 'self'/.test(policy), `policy: ${policy || 'none'}`);
    holds(!/unsafe-|\*|https?:/.test(policy), `policy: ${policy}`);
  });
  await check('the title names the environment', async () => {
    holds((await page.title()).startsWith(title), `title: ${await page.title()}`);
  });
  await check('the bar names environment and tag', async () => {
    equal((await page.locator('.ward-bar').innerText()).trim(), bar);
  });
  await check('the icon is the environment’s own', async () => {
    const href = await page.locator('link[rel=icon]').getAttribute('href');
    holds(href.includes(environment), `icon: ${href}`);
    equal((await page.request.get(new URL(href, url).href)).status(), 200);
  });
  await check('only the Sandbox has a frame', async () => {
    const width = await page.locator('body').evaluate((body) => parseFloat(getComputedStyle(body).borderTopWidth));
    equal(width > 0, environment === 'sandbox');
  });

  const editor = page.locator('.graphiql-query-editor .CodeMirror');
  await check('the editor loads', () => editor.waitFor());
  if (key) {
    await check('the key is kept in this tab only, under environment and tag', async () => {
      await page.getByLabel(/^API key/).fill(key);
      const kept = await page.evaluate(() => [Object.entries(sessionStorage), JSON.stringify(localStorage)]);
      const names = kept[0].filter(([, value]) => value.includes(key)).map(([name]) => name);
      equal(names.join(), `ward.explorer.${environment}.${tag}.key`);
      holds(!kept[1].includes(key), 'the key is in localStorage');
    });
  }
  await check('a query typed and run shows data', async () => {
    await page.getByLabel('API version').selectOption('2024-06-01');
    await editor.click();
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText('{ currentUser { id } }');
    // GraphiQL reads the text a moment later, and then drops the sample's operation name.
    await page.getByRole('tab', { name: '<untitled>' }).waitFor();
    await page.keyboard.press('Control+Enter');
    const result = page.locator('.result-window');
    await result.getByText('currentUser').waitFor();
    const text = (await result.locator('.CodeMirror-code').innerText()).replace(/\s+/g, ' ');
    holds(text.includes('"data"') && (!key || /"id": "[^"]+"/.test(text)), `result: ${text.slice(0, 200)}`);
  });
  await check('the query carried its headers', async () => {
    const query = sent.findLast((request) => request.postData()?.includes('{ currentUser { id } }'));
    const headers = await query.allHeaders();
    equal(headers['x-expect-environment'], environment);
    equal(headers['healthie-graphql-api-version'], '2024-06-01');
    equal(headers.authorization, key ? `Basic ${key}` : undefined);
    equal(headers.authorizationsource, key ? 'API' : undefined);
    equal(headers.cookie, undefined);
  });
  await check('the schema’s documentation opens', async () => {
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.locator('.graphiql-doc-explorer').getByText('Root Types').waitFor();
  });
  await check('the settings open and close', async () => {
    await page.getByRole('button', { name: 'Open settings dialog' }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });
  await check('the key field is reached with the keyboard', async () => {
    await page.locator('body').evaluate(() => document.activeElement?.blur());
    await page.getByLabel('API version').focus();
    await page.keyboard.press('Shift+Tab');
    equal(await page.evaluate(() => document.activeElement.id), 'ward-key');
  });
  if (SCREENSHOT) await page.screenshot({ path: SCREENSHOT });

  await check('an answer of another instance is refused', async () => {
    await page.route('**/graphql', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, headers: { ...response.headers(), 'x-instance': 'ZZZZZ' } });
    });
    await editor.click();
    await page.keyboard.press('Control+Enter');
    const notice = page.getByRole('alertdialog');
    await notice.getByText('Stop: another environment answered').waitFor();
    await page.keyboard.press('Escape');
    holds(await notice.isVisible(), 'the notice went away');
    equal(await page.locator('.graphiql-container').count(), 0);
  });
  await check('no request left the origin', async () => equal(foreign.join(), ''));
  await check('the console is silent', async () => equal(complaints.join(' | '), ''));
} finally {
  await browser.close();
}
process.exit(failed ? 1 : 0);
