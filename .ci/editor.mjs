// Editors accept our YAML files and mark a wrong key: asks the YAML language server of VS Code.
// Arguments: the server's program, the repository, and a folder that `tidings init` wrote.

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [program, root, fresh] = process.argv.slice(2).map((path) => resolve(path));

const settings = { validate: true, schemaStore: { enable: false } };
const server = spawn(process.execPath, [program, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
const waiting = new Map();
const diagnosed = new Map();
let number = 0;

function send(message) {
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
  server.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
  server.stdin.write(body);
}

function request(method, params) {
  send({ id: ++number, method, params });
  return new Promise((done) => waiting.set(number, done));
}

function receive(message) {
  if (message.method === 'workspace/configuration') {
    const answers = message.params.items.map(({ section }) => (section === 'yaml' ? settings : {}));
    send({ id: message.id, result: answers });
  } else if (message.method === 'textDocument/publishDiagnostics') {
    diagnosed.get(message.params.uri)?.(message.params.diagnostics);
  } else if (message.method && message.id !== undefined) {
    send({ id: message.id, result: null });
  } else if (message.id !== undefined) {
    waiting.get(message.id)?.(message.result);
  }
}

let received = Buffer.alloc(0);
server.stdout.on('data', (chunk) => {
  received = Buffer.concat([received, chunk]);
  for (;;) {
    const end = received.indexOf('\r\n\r\n');
    const length = Number(/Content-Length: (\d+)/i.exec(received.subarray(0, end))?.[1]);
    if (end < 0 || received.length < end + 4 + length) return;
    receive(JSON.parse(received.subarray(end + 4, end + 4 + length)));
    received = received.subarray(end + 4 + length);
  }
});

// What the server says of `text` as the file at `path`.
async function diagnose(path, text) {
  const uri = String(pathToFileURL(path));
  const found = new Promise((done) => diagnosed.set(uri, done));
  const textDocument = { uri, languageId: 'yaml', version: 1, text };
  send({ method: 'textDocument/didOpen', params: { textDocument } });
  return found;
}

const deadline = setTimeout(() => fail('the server did not answer in a minute'), 60_000);

function fail(why) {
  console.error(why);
  server.kill();
  process.exit(1);
}

await request('initialize', {
  processId: process.pid,
  rootUri: String(pathToFileURL(root)),
  capabilities: { workspace: { configuration: true, didChangeConfiguration: {} } },
});
send({ method: 'initialized', params: {} });

// Files of `init` name their schema in their first line. The others get such a line here.
const MARK = '# yaml-language-server: $schema=';
const schema = (name) => pathToFileURL(join(root, 'docs', `${name}.schema.json`));
const rules = readdirSync(join(root, 'rules')).map((name) => [join(root, 'rules', name), 'rules']);
const files = [
  [join(root, 'config.example.yaml'), 'config'],
  [join(root, 'packaging/debian/config.yaml'), 'config'],
  ...rules,
  [join(fresh, 'config.yaml')],
  [join(fresh, 'rules/first.yaml')],
];
for (const [path, name] of files) {
  let text = readFileSync(path, 'utf8');
  if (name) text = `${MARK}${schema(name)}\n${text.replace(MARK, '# ')}`;
  if (!text.startsWith(MARK)) fail(`${path}: the first line names no schema`);
  const faults = await diagnose(path, text);
  if (faults.length > 0) fail(`${path}: ${JSON.stringify(faults, null, 2)}`);
  // A wrong key in a new last line must be marked there, and nothing else.
  const line = text.split('\n').length - 1;
  const marked = await diagnose(path.replace('.yaml', '.wrong.yaml'), `${text}nonsense: 1\n`);
  if (marked.length !== 1 || marked[0].range.start.line !== line) {
    fail(`${path}: a wrong key in line ${line + 1}: ${JSON.stringify(marked, null, 2)}`);
  }
}
clearTimeout(deadline);
server.kill();
console.log(`${files.length} files: accepted, and a wrong key is marked in each`);
