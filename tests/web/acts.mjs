// What one does in the frame around the pages. GYRE_URL: a server with the project churn, open to its owner; a line on standard output asks who
// started this for what a browser cannot do.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import readline from 'node:readline';

import { accessible, open, run, settled } from './browser.mjs';

const { GYRE_URL: url } = process.env;
const ui = await open(url);
const answers = readline.createInterface({ input: process.stdin });

async function ask(what) {
  console.log(`please ${what}`);
  await once(answers, 'line');
}

async function the_keyboard_finds_and_goes() {
  const page = await ui.visit('/');
  await page.keyboard.press('Control+k');
  await page.waitForSelector('[role=combobox]');
  await page.keyboard.type('project churn');
  await settled(page);
  await accessible(page);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/p\/churn/);
  await page.keyboard.press('Control+k');
  await page.waitForSelector('[role=combobox]');
  await page.keyboard.press('Escape');
  await page.waitForSelector('[role=combobox]', { state: 'detached' });
}

async function a_theme_that_is_chosen_stays() {
  const context = await ui.context({ theme: 'light' });
  const page = await ui.visit('/', { within: context });
  await page.click('[aria-label=Dark]');
  const again = await ui.visit('/', { within: context });
  assert.equal(await again.evaluate(() => document.documentElement.dataset.theme), 'dark');
}

async function what_is_not_there_is_said_in_the_servers_words() {
  const page = await ui.visit('/p/nobody', { expected: /status of 404/ });
  await page.waitForSelector('[role=alert] >> text=GY');
  await accessible(page);
}

async function a_project_and_its_data_by_the_browser_alone() {
  const page = await ui.visit('/', { expected: /status of 4\d\d/ });
  await page.click('button:has-text("New project")');
  await page.waitForSelector('[role=dialog]');
  await accessible(page);
  await page.fill('input[name=name]', 'second');
  await page.fill('input[name=goal]', 'auc >> 0.7');
  await page.click('button:has-text("Make the project")');
  await page.waitForSelector('[role=dialog] [role=alert]');
  await page.fill('input[name=goal]', 'auc >= 0.7');
  await page.click('button:has-text("Make the project")');
  await page.waitForURL(/\/p\/second$/);
  await page.click('nav >> text=Data');
  await page.setInputFiles('input[type=file]', { name: 'broken.parquet', mimeType: '', buffer: Buffer.from('nonsense') });
  await page.waitForSelector('[role=alert] >> text=GY2039');
  await page.setInputFiles('input[type=file]', process.env.GYRE_FILE);
  await page.waitForSelector('h1:has-text("customers:v1")');
  await page.waitForSelector('td >> text=contract');
  await page.close();
}

async function a_prediction_by_the_browser_alone() {
  const page = await ui.visit('/p/churn/endpoints/customers');
  await page.fill('input[name=tenure]', '3');
  await page.fill('input[name=charges]', '99.5');
  await page.fill('input[name=contract]', 'monthly');
  await page.click('button:has-text("Ask")');
  await page.waitForSelector('text=answered by customers:v1');
  await accessible(page);
  await page.close();
}

async function what_others_do_is_seen_at_once() {
  const page = await ui.visit('/p/churn/datasets');
  assert.equal(await page.locator('tbody tr').count(), 1);
  await ask('add');
  await page.waitForSelector('tbody tr >> nth=1');
  await page.close();
}

async function a_lost_stream_is_said_and_comes_back() {
  const page = await ui.visit('/p/churn/datasets', { expected: /ERR_|Failed to load/ });
  await page.waitForSelector('footer >> text=live');
  await ask('stop');
  await page.waitForSelector('footer >> text=stream lost');
  assert.equal(await page.locator('tbody tr').count(), 2); // what was there stays
  await ask('start');
  await page.waitForSelector('footer >> text=live', { timeout: 20_000 });
  await page.close();
}

await run([the_keyboard_finds_and_goes, a_theme_that_is_chosen_stays, what_is_not_there_is_said_in_the_servers_words, a_project_and_its_data_by_the_browser_alone, a_prediction_by_the_browser_alone, what_others_do_is_seen_at_once, a_lost_stream_is_said_and_comes_back]);
await ui.close();
process.exit(0);
