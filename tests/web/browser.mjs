// Drives Debian's Chromium against the real server for the tests of this folder. Whatever a page says on its console, whatever breaks in it and
// whatever it asks of another origin fails the test.
//
//   const ui = await open(url);              // a browser; one context per `visit`
//   const page = await ui.visit('/p/churn', { theme: 'dark', width: 420 });
//   await accessible(page);                  // axe, WCAG 2.2 AA
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

export async function open(url) {
  const browser = await chromium.launch({ executablePath: process.env.GYRE_TEST_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  const complaints = [];

  async function context({ theme = 'light', width = 1440, height = 900 } = {}) {
    const made = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: 'reduce', serviceWorkers: 'block', timezoneId: 'UTC' });
    made.setDefaultTimeout(10_000);
    await made.route('**/*', (route) => {
      const asked = new URL(route.request().url());
      if (asked.origin === new URL(url).origin || asked.protocol === 'blob:' || asked.protocol === 'data:') return route.continue();
      complaints.push(`asked ${asked.href} of another origin`);
      return route.abort();
    });
    return made;
  }

  // `expected`: what the browser itself notes about an answer that the test provokes.
  async function visit(path, { within, expected, ...how } = {}) {
    const page = await (within ?? (await context(how))).newPage();
    page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && !(expected && expected.test(message.text()))) complaints.push(`${page.url()}: ${message.text()}`);
    });
    await page.goto(path.startsWith('/') ? new URL(`.${path}`, url).href : path);
    await settled(page);
    return page;
  }

  return {
    context,
    visit,
    async close() {
      await browser.close();
      assert.deepEqual(complaints, []);
    },
  };
}

// Nothing is on its way and nothing waits to be shown.
export async function settled(page) {
  await page.waitForSelector('main');
  await page.waitForFunction(() => document.querySelector('[aria-busy=true], .waiting') === null);
  await page.waitForFunction(
    () => {
      const now = performance.getEntriesByType('resource').length;
      const { gyreSeen = -1, gyreSince = 0 } = window;
      if (now !== gyreSeen) Object.assign(window, { gyreSeen: now, gyreSince: performance.now() });
      return now === gyreSeen && performance.now() - gyreSince > 150;
    },
    undefined,
    { polling: 50 },
  );
}

export async function accessible(page) {
  await page.evaluate(axe);
  const found = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags, resultTypes: ['violations'] }), WCAG);
  const told = found.violations.map((violation) => `${violation.id}: ${violation.help}\n${violation.nodes.slice(0, 4).map((node) => `    ${node.html.slice(0, 200)}  ${node.failureSummary.split('\n')[1] ?? ''}`).join('\n')}`);
  assert.deepEqual(told, [], `${page.url()} (${await page.evaluate(() => document.documentElement.dataset.theme)})\n${told.join('\n')}`);
}

// A narrow screen scrolls down, never sideways.
export async function fits(page) {
  const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= screen, `${page.url()} is ${wide} px wide on ${screen}`);
}

export async function run(tests) {
  for (const test of tests) {
    const begin = performance.now();
    try {
      await test();
    } catch (error) {
      console.error(`FAILED ${test.name}\n${error.stack ?? error}`);
      process.exit(1);
    }
    console.log(`ok ${test.name} (${((performance.now() - begin) / 1000).toFixed(2)} s)`);
  }
}
