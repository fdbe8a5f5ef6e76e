import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { ROOT } from '../shape/source.ts';
import type { Sshd } from './sshd.ts';
import { tempFolder } from './temp.ts';

/** The bundle as it ships. */
export const BIN = join(ROOT, 'dist', 'sallyport.js');

type Json = Record<string, unknown>;

/** One line of the audit. */
export type AuditLine = Json & {
  readonly event: string;
  readonly tool?: string;
  readonly code?: string;
  readonly call_id?: string;
};

/** An empty account with Sallyport's files in it, and nothing of the real one. */
export type Home = AsyncDisposable & {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  readonly policy: (document: unknown) => Promise<string>;
  readonly config: (document: unknown) => Promise<string>;
  /** Every line of every audit file, oldest file first. */
  readonly audit: () => Promise<readonly AuditLine[]>;
  /** Every byte under it, for canaries. */
  readonly everything: () => Promise<string>;
};

/** Makes one; `hosts` are entries of config.json. */
export const home = async (hosts: Json = {}, policy?: unknown, more: Json = {}): Promise<Home> => {
  const temp = await tempFolder('sallyport-home-');
  const at = join('.config', 'sallyport');
  const write = async (name: string, document: unknown): Promise<string> =>
    temp.write(join(at, name), typeof document === 'string' ? document : JSON.stringify(document, null, 2));
  await write('config.json', { hosts, ...more });
  if (policy !== undefined) await write('policy.json', policy);
  const auditFolder = join(temp.path, '.local', 'state', 'sallyport', 'audit');
  return {
    path: temp.path,
    env: { HOME: temp.path, PATH: process.env.PATH ?? '', NO_COLOR: '1' },
    policy: document => write('policy.json', document),
    config: document => write('config.json', document),
    audit: async () => {
      const names = (await readdir(auditFolder)).filter(name => name.endsWith('.jsonl')).sort();
      const texts = await Promise.all(names.map(name => readFile(join(auditFolder, name), 'utf8')));
      return texts.flatMap(text => text.split('\n').filter(Boolean)).map(parseLine);
    },
    everything: async () => {
      const entries = await readdir(temp.path, { recursive: true, withFileTypes: true });
      const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
      return (await Promise.all(files.map(file => readFile(file, 'latin1')))).join('\n');
    },
    [Symbol.asyncDispose]: () => temp.remove(),
  };
};

const parseLine = (line: string): AuditLine => JSON.parse(line);

/** config.json's entry for a real sshd, with its known_hosts, and the account's key. */
export const hostEntry = async (sshd: Sshd): Promise<Json> => ({
  address: '127.0.0.1',
  port: sshd.port,
  user: sshd.user,
  auth: { key: (await sshd.userKey()).path },
});

/** A home that reaches a real sshd as `web-1`. */
export const homeFor = async (sshd: Sshd, policy?: unknown, more: Json = {}): Promise<Home> =>
  home({ 'web-1': await hostEntry(sshd) }, policy, { knownHosts: [sshd.knownHosts], ...more });

/** A policy that lists every tool and limits nothing. */
export const ALLOW_ALL = { version: '1', default: 'allow' } as const;

/** One server process, spoken to in raw lines. */
export type Raw = AsyncDisposable & {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly send: (message: unknown) => void;
  readonly write: (text: string) => void;
  /** Sends a request in the 2026-07-28 era and resolves with its answer. */
  readonly request: (method: string, params?: Json) => Promise<Json>;
  readonly call: (tool: string, args?: Json) => Promise<Json>;
  /** Resolves with the first message for which `found` holds, past or to come. */
  readonly message: (found: (message: Json) => boolean) => Promise<Json>;
  readonly messages: readonly Json[];
  /** Lines of stdout that are no JSON object. */
  readonly noise: readonly string[];
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly exited: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly atMs: number;
  }>;
};

/** What a request of 2026-07-28 carries in `_meta`. */
export const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '0' },
  'io.modelcontextprotocol/clientCapabilities': {},
} as const;

/** Starts `sallyport` (with `args`, by default none: stdio) in a home. */
export const raw = (place: Home, args: readonly string[] = ['serve'], env: Record<string, string> = {}): Raw => {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { ...place.env, ...env },
    cwd: place.path,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const messages: Json[] = [];
  const noise: string[] = [];
  const waiters = new Set<() => void>();
  let stdout = '';
  let stderr = '';
  let rest = '';
  child.stdin.on('error', () => undefined);
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const parsed = parsedObject(line);
      if (parsed === undefined) noise.push(line);
      else messages.push(parsed);
    }
    for (const waiter of waiters) waiter();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null; atMs: number }>(resolve => {
    child.once('exit', (code, signal) => resolve({ code, signal, atMs: performance.now() }));
  });
  const message = (found: (message: Json) => boolean): Promise<Json> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const hit = messages.find(found);
        if (hit === undefined) return;
        waiters.delete(look);
        resolve(hit);
      };
      waiters.add(look);
      exited.then(() => reject(new Error(`the server ended first; stderr: ${stderr}`)), reject);
      look();
    });
  let id = 0;
  const send = (one: unknown): void => void child.stdin.write(`${JSON.stringify(one)}\n`);
  const request = async (method: string, params: Json = {}): Promise<Json> => {
    id += 1;
    const mine = id;
    send({ jsonrpc: '2.0', id: mine, method, params: { _meta: ENVELOPE, ...params } });
    return message(one => one.id === mine);
  };
  return {
    child,
    send,
    write: text => void child.stdin.write(text),
    request,
    call: async (tool, args = {}) => resultOf(await request('tools/call', { name: tool, arguments: args })),
    message,
    messages,
    noise,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
};

/** The handshake of the 2025 line; resolves with the answer to `initialize`. */
export const handshake = async (server: Raw, protocolVersion = '2025-11-25'): Promise<Json> => {
  const clientInfo = { name: 'raw', version: '0' };
  server.send({
    jsonrpc: '2.0',
    id: 'hello',
    method: 'initialize',
    params: { protocolVersion, capabilities: {}, clientInfo },
  });
  const answer = await server.message(message => message.id === 'hello');
  server.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  return answer;
};

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const parsedObject = (line: string): Json | undefined => {
  try {
    const value: unknown = JSON.parse(line);
    return isJson(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const resultOf = (message: Json): Json => {
  if (isJson(message.result)) return message.result;
  throw new Error(`no result: ${JSON.stringify(message)}`);
};

/** The structured half of a tool's result. */
export const structured = (result: Json): Json => {
  if (isJson(result.structuredContent)) return result.structuredContent;
  throw new Error(`no structured content: ${JSON.stringify(result)}`);
};

/** The error object of a refused or failed call. */
export const errorOf = (result: Json): Json => {
  const { error } = structured(result);
  if (isJson(error)) return error;
  throw new Error(`no error: ${JSON.stringify(result)}`);
};
