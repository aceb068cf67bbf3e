// Every page on real data, in both themes and on a narrow screen. GYRE_URL: a server with the project churn, open to its owner.
import assert from 'node:assert/strict';

import { accessible, fits, open, run, settled } from './browser.mjs';
import { pages } from './list.mjs';

const { GYRE_URL: url } = process.env;
const ui = await open(url);
const all = await pages(url);

// Three at a time: a page mostly waits.
async function each(list, visit) {
  const left = [...list];
  await Promise.all(Array.from({ length: 3 }, async () => {
    for (let next = left.shift(); next; next = left.shift()) await visit(next);
  }));
}

async function visit_all(how) {
  const context = await ui.context(how);
  await each(all, async ({ path, shows }) => {
    const page = await ui.visit(path, { within: context });
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), how.theme);
    if (how.width) await fits(page);
    else await page.waitForSelector(`text=${shows}`);
    await accessible(page);
    await page.close();
  });
  await context.close();
}

const NARROW = { width: 420, height: 900 };

// The same page turned dark and narrow while it is open: half the time of loading it again.
async function every_page_in_light_then_dark_and_narrow() {
  const context = await ui.context({ theme: 'light' });
  await each(all, async ({ path, shows }) => {
    const page = await ui.visit(path, { within: context });
    await page.waitForSelector(`text=${shows}`);
    await accessible(page);
    await page.evaluate(() => (document.documentElement.dataset.theme = 'dark'));
    await page.setViewportSize(NARROW);
    await settled(page);
    await fits(page);
    await accessible(page);
    await page.close();
  });
  await context.close();
}

// Each from its load on; in the full tier, because it takes twice as long and finds little.
async function every_page_loaded_in_each_way() {
  if (process.env.GYRE_TEST_TIER !== 'full') return;
  await visit_all({ theme: 'dark' });
  await visit_all({ theme: 'dark', ...NARROW });
  await visit_all({ theme: 'light', ...NARROW });
}

async function a_dark_page_is_dark_from_its_first_paint() {
  const context = await ui.context({ theme: 'dark' });
  const page = await ui.visit('/p/churn', { within: context });
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await context.close();
}

await run([every_page_in_light_then_dark_and_narrow, every_page_loaded_in_each_way, a_dark_page_is_dark_from_its_first_paint]);
await ui.close();
