// First start, login and logout in a browser. GYRE_URL: a server that asks everybody to log in; GYRE_SETUP: its setup link.
import assert from 'node:assert/strict';

import { accessible, open, run, settled } from './browser.mjs';

const { GYRE_URL: url, GYRE_SETUP: setup } = process.env;
const PASSWORD = 'correct horse battery';
const ui = await open(url);
const context = await ui.context();
const REFUSED = /status of 40[01]/;

async function strangers_are_asked_to_log_in() {
  const page = await ui.visit('/p/churn?a=b', { within: context, expected: REFUSED });
  await page.waitForURL(/\/login\?to=/);
  await accessible(page);
  await page.close();
}

async function the_setup_link_makes_the_owner() {
  const page = await ui.visit(setup, { within: context });
  await accessible(page);
  await page.fill('input[name=name]', 'ann');
  await page.fill('input[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForSelector('h1:has-text("Projects")');
  assert.ok(!page.url().includes('token'), page.url());
  await settled(page);
  await accessible(page);
  const [cookie] = (await context.cookies()).filter((one) => one.name.startsWith('gyre_session'));
  assert.equal(cookie.httpOnly, true);
  assert.equal(cookie.sameSite, 'Strict');
  assert.equal(await page.evaluate(() => document.cookie), '');
  await page.close();
}

async function a_session_ends_when_one_logs_out() {
  const page = await ui.visit('/activity', { within: context, expected: REFUSED });
  await page.click('[aria-label$="logged in as ann"]');
  await page.click('[role=menuitem]:has-text("Log out")');
  await page.waitForURL(/\/login/);
  assert.deepEqual(await context.cookies(), []);
  await page.fill('input[name=name]', 'ann');
  await page.fill('input[name=password]', 'wrong horse battery');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=alert]:has-text("GY1704")');
  await accessible(page);
  await page.close();
}

async function one_arrives_where_one_wanted_to_go() {
  const page = await ui.visit('/activity', { within: context, expected: REFUSED });
  await page.waitForURL(/\/login\?to=/);
  await page.fill('input[name=name]', 'ann');
  await page.fill('input[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForSelector('h1:has-text("Activity")');
  await page.close();
}

await run([strangers_are_asked_to_log_in, the_setup_link_makes_the_owner, a_session_ends_when_one_logs_out, one_arrives_where_one_wanted_to_go]);
await ui.close();
