// Every page on real data, in both themes and on a narrow screen. GYRE_URL: a server with the project churn, open to its owner.
import assert from 'node:assert/strict';

import { accessible, fits, open, run } from './browser.mjs';
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

async function every_page_in_light() {
  await visit_all({ theme: 'light' });
}

async function every_page_in_dark_on_a_narrow_screen() {
  await visit_all({ theme: 'dark', ...NARROW });
}

// The other way round: in the full tier, because it takes as long again and finds little.
async function every_page_in_dark_and_narrow_in_light() {
  if (process.env.GYRE_TEST_TIER !== 'full') return;
  await visit_all({ theme: 'dark' });
  await visit_all({ theme: 'light', ...NARROW });
}

await run([every_page_in_light, every_page_in_dark_on_a_narrow_screen, every_page_in_dark_and_narrow_in_light]);
await ui.close();
