// node web/tools/api.mjs OPENAPI_JSON [--check]: writes src/api/generated.ts from the server's own description (`gyre api GET /api/v1/openapi.json`);
// with --check it only says whether what is there is current. Types only: nothing of it is in the built UI.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const target = path.join(root, 'src/api/generated.ts');
const [source, flag] = process.argv.slice(2);
const document = JSON.parse(fs.readFileSync(source, 'utf8'));

// Tables of the server that the UI speaks to.
const OURS = ['native', 'predict'];

const key = (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));

function object(schema) {
  const required = new Set(schema.required ?? []);
  const members = Object.entries(schema.properties ?? {}).map(([name, member]) => `${key(name)}${required.has(name) ? '' : '?'}: ${type(member)}${required.has(name) ? '' : ' | undefined'}`);
  if (schema.additionalProperties) members.push(`[name: string]: ${type(schema.additionalProperties)}`);
  if (members.length === 0) return schema.additionalProperties === false ? 'Record<string, never>' : 'Record<string, unknown>';
  return `{ ${members.join('; ')} }`;
}

function type(schema) {
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.anyOf) return schema.anyOf.map(type).join(' | ');
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  switch (schema.type) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array': {
      const item = type(schema.items ?? {});
      return item.includes('|') ? `(${item})[]` : `${item}[]`;
    }
    case 'object':
      return object(schema);
    default:
      return 'unknown';
  }
}

function parameters(operation, place) {
  const found = (operation.parameters ?? []).filter((parameter) => parameter.in === place);
  if (found.length === 0) return [];
  const members = found.map((parameter) => `${key(parameter.name)}${parameter.required ? '' : '?'}: ${type(parameter.schema)}${parameter.required ? '' : ' | undefined'}`);
  return [`${place}${found.some((parameter) => parameter.required) ? '' : '?'}: { ${members.join('; ')} }`];
}

// "{path*}": the rest of the address, whose slashes stay.
function withRest(address, operation) {
  const rest = (operation.parameters ?? []).filter((parameter) => parameter['x-slashes']);
  return rest.reduce((text, { name }) => text.replace(`{${name}}`, `{${name}*}`), address);
}

function answer(operation) {
  const schema = operation.responses['2XX']?.content?.['application/json']?.schema;
  return schema ? type(schema) : 'unknown';
}

function body(operation) {
  const content = operation.requestBody?.content;
  if (!content) return [];
  return [`body: ${content['application/json'] ? type(content['application/json'].schema) : 'Blob'}`];
}

// What a call of it is given.
function input(operation) {
  const members = [...parameters(operation, 'path'), ...parameters(operation, 'query'), ...body(operation)];
  return members.length === 0 ? 'Record<string, never>' : `{ ${members.join('; ')} }`;
}

const schemas = Object.entries(document.components.schemas)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, schema]) => `export type ${name} = ${type(schema)};`);
const routes = Object.entries(document.paths)
  .flatMap(([address, item]) => Object.entries(item).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${withRest(address, operation)}`, operation })))
  .filter(({ operation }) => operation.tags.some((tag) => OURS.includes(tag)))
  .sort((a, b) => (a.name < b.name ? -1 : 1))
  .map(
    ({ name, operation }) =>
      `  /** ${operation.summary} */\n  ${JSON.stringify(name)}: { input: ${input(operation)}; answer: ${answer(operation)}; permission: ${JSON.stringify(operation['x-permission'])} };`,
  );
const text = `// Written by web/tools/api.mjs from the server's OpenAPI document.
${schemas.join('\n')}

export interface Routes {
${routes.join('\n')}
}
`;

if (flag === '--check') {
  if (!fs.existsSync(target) || fs.readFileSync(target, 'utf8') !== text) {
    console.error('web/src/api/generated.ts is not what this server says: make web-api');
    process.exit(1);
  }
} else {
  fs.writeFileSync(target, text);
}
