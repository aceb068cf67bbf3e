// node web/tools/build.mjs OUT: builds the UI, packs each file, and writes OUT/web_assets.bin with the table OUT/web_assets.cc
// (see src/api/webui/assets.h). The same sources give the same bytes.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';
import { build } from 'vite';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const out = path.resolve(process.argv[2] ?? path.join(root, '../build/web'));
const dist = path.join(out, 'dist');

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

function gzip(bytes) {
  return zlib.gzipSync(bytes, { level: 9 });
}

function brotli(bytes) {
  return zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
}

// Packed only where that saves a twentieth: fonts are packed already.
function worthIt(packed, bytes) {
  return packed.length < bytes.length * 0.95 ? packed : Buffer.alloc(0);
}

function table(files) {
  let at = 0;
  const pieces = [];
  const piece = (bytes) => {
    if (bytes.length === 0) return '{}';
    pieces.push(bytes);
    at += bytes.length;
    return `{gyre_web_assets + ${at - bytes.length}, ${bytes.length}}`;
  };
  const rows = files.map(({ name, bytes }) => {
    const type = TYPES[path.extname(name)];
    if (!type) throw new Error(`${name}: no content type for it in web/tools/build.mjs`);
    const tag = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
    const page = name === 'index.html'; // the server writes it anew
    return `    {"${name}", "${type}", "${tag}", ${piece(bytes)}, ${page ? '{}' : piece(worthIt(gzip(bytes), bytes))}, ${page ? '{}' : piece(worthIt(brotli(bytes), bytes))}},`;
  });
  const code = `// Written by web/tools/build.mjs.
#include "api/webui/assets.h"

extern "C" const char gyre_web_assets[];

namespace gyre::webui {
namespace {

const Asset kAssets[] = {
${rows.join('\n')}
};

}  // namespace

std::span<const Asset> BuiltAssets() { return kAssets; }

}  // namespace gyre::webui
`;
  return { blob: Buffer.concat(pieces), code };
}

// Vite bundles modules only; what must run before the page is drawn gets the hash of its content in its name here.
function nameByContent(name) {
  const bytes = fs.readFileSync(path.join(dist, name));
  const { dir, name: stem, ext } = path.parse(name);
  const hashed = `${dir}/${stem}-${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}${ext}`;
  fs.renameSync(path.join(dist, name), path.join(dist, hashed));
  const index = path.join(dist, 'index.html');
  fs.writeFileSync(index, fs.readFileSync(index, 'utf8').replace(name, hashed));
}

// Of each package that is in the bundle: who made it, and under which terms.
function licences() {
  const { packages } = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([folder, about]) => folder !== '' && !about.dev && !about.optional && fs.existsSync(path.join(root, folder)))
    .map(([folder, about]) => {
      const file = fs.readdirSync(path.join(root, folder)).find((name) => /^licen[cs]e/i.test(name));
      const text = file ? fs.readFileSync(path.join(root, folder, file), 'utf8').trim() : '';
      return `--- ${folder.replace(/^.*node_modules\//, '')} ${about.version} (${about.license ?? 'see its text'})\n\n${text}\n`;
    })
    .join('\n');
}

await build({ root, logLevel: 'warn', build: { outDir: dist, emptyOutDir: true } });
nameByContent('assets/theme.js');
const files = fs
  .readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.relative(dist, path.join(entry.parentPath, entry.name)))
  .sort()
  .map((name) => ({ name, bytes: fs.readFileSync(path.join(dist, name)) }));
const { blob, code } = table(files);
fs.writeFileSync(path.join(out, 'web_assets.bin'), blob);
fs.writeFileSync(path.join(out, 'web_assets.cc'), code);
fs.writeFileSync(path.join(out, 'licences.txt'), licences());
