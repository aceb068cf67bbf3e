// node tests/web/shots.mjs URL FOLDER: a picture of each page, both themes at 1440 x 900 and 420 wide, of the server at URL (`gyre demo --keep`).
import fs from 'node:fs';
import path from 'node:path';

import { open } from './browser.mjs';
import { pages } from './list.mjs';

const [url, folder] = process.argv.slice(2);
fs.mkdirSync(folder, { recursive: true });
const ui = await open(url);
for (const { name, path: address } of await pages(url)) {
  for (const [ending, how] of [['', {}], ['-dark', { theme: 'dark' }], ['-420', { width: 420, height: 900 }]]) {
    const page = await ui.visit(address, how);
    if (how.width) {
      const high = await page.evaluate(() => document.querySelector('main').scrollHeight + 100);
      await page.setViewportSize({ width: how.width, height: Math.min(6000, Math.max(900, high)) });
    }
    await page.screenshot({ path: path.join(folder, `${name}${ending}.png`) });
    await page.context().close();
  }
}
await ui.close();
