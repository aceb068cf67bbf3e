// The pages of MLflow's own UI against this server: what is shown is what was logged, and nothing that it asks for fails.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const { GYRE_URL: url, GYRE_EXPERIMENT: experiment, GYRE_RUN: run, GYRE_PASSWORD: password, GYRE_SHOTS: shots } = process.env;

const browser = await chromium.launch({ executablePath: process.env.GYRE_TEST_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] });
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, serviceWorkers: 'block', timezoneId: 'UTC' });
context.setDefaultTimeout(40_000);
const failed = [];
const abroad = [];
const broken = [];
await context.route('**/*', (route) => {
  const asked = new URL(route.request().url());
  if (asked.origin === new URL(url).origin || asked.protocol === 'blob:' || asked.protocol === 'data:') return route.continue();
  abroad.push(asked.href);
  return route.abort();
});
const page = await context.newPage();
page.on('pageerror', (error) => broken.push(error.message));
page.on('response', (response) => {
  if (response.status() >= 400) failed.push(`${response.status()} ${response.request().method()} ${response.url()} ${response.request().postData()?.slice(0, 200) ?? ''}`);
});
if (process.env.GYRE_TALK) page.on('console', (message) => console.log('console', message.type(), message.text().slice(0, 300)));

async function see(name, path, ...texts) {
  await page.goto(new URL('mlflow' + path, url).href);
  for (const text of texts) await page.getByText(text, { exact: false }).filter({ visible: true }).first().waitFor().catch(async (error) => {
    if (shots) await page.screenshot({ path: `${shots}/${name}-failed.png` });
    throw new Error(`${name}: no "${text}": ${error.message}\n${failed.join('\n')}\n${broken.join('\n')}`);
  });
  if (shots) {
    await page.waitForTimeout(3000);
    await page.screenshot({ path: `${shots}/${name}.png` });
  }
}

if (password) {
  await page.goto(new URL('login', url).href);
  await page.getByLabel(/name/i).first().fill('root');
  await page.getByLabel(/password/i).first().fill(password);
  await page.keyboard.press('Enter');
  await page.waitForURL((now) => !now.pathname.endsWith('/login'));
}
await see('experiments', '#/experiments', 'churn-study');
await see('runs', `#/experiments/${experiment}/runs`, 'trial-0', 'trial-2');
await see('run', `#/experiments/${experiment}/runs/${run}`, 'trial-0', 'rate', 'loss');
await see('charts', `#/experiments/${experiment}/runs/${run}/model-metrics`, 'loss');
await page.locator('.js-plotly-plot .scatterlayer path.js-line').first().waitFor({ state: 'attached' });
await see('artifacts', `#/experiments/${experiment}/runs/${run}/artifacts/notes.txt`, 'notes.txt', 'what was tried');
await see('models', '#/models', 'churn');
await see('model', '#/models/churn', 'Version 2', 'best');
await see('version', '#/models/churn/versions/2', 'Version 2');
await browser.close();
assert.deepEqual(broken, []);
const asked = [...new Set(failed)];
console.log(`  ${asked.length} kinds of answers were errors${asked.length ? ':\n    ' + asked.join('\n    ') : ''}; ${abroad.length} asked of elsewhere`);
