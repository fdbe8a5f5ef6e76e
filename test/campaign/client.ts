import { spawn } from 'node:child_process';
import { BIN, ENVELOPE, type Home } from '../support/home.ts';

type Answer = Readonly<Record<string, unknown>>;

/** A server for as long as a campaign takes: unlike the suite's, this client keeps nothing of what was answered. */
export type LongClient = {
  readonly pid: number;
  /** The structured half of a tool's result. */
  readonly call: (tool: string, args: Answer) => Promise<Answer>;
  /** Closes its stdin, and resolves with its status. */
  readonly end: () => Promise<number | null>;
};

const isAnswer = (value: unknown): value is Answer => typeof value === 'object' && value !== null;

/** Starts the server as it ships, at a lower priority than the rest of the machine. */
export const longClient = (place: Home): LongClient => {
  const child = spawn(process.execPath, [BIN, 'serve'], {
    env: { ...place.env },
    cwd: place.path,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = new Map<number, { take: (answer: Answer) => void; fail: (why: Error) => void }>();
  const exited = new Promise<number | null>(resolve => child.once('exit', resolve));
  void exited.then(code => {
    for (const { fail } of waiting.values()) fail(new Error(`the server ended with ${code}`));
  });
  let rest = '';
  child.stdin.on('error', () => undefined);
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const message: unknown = JSON.parse(line);
      if (!isAnswer(message) || typeof message.id !== 'number') continue;
      const one = waiting.get(message.id);
      waiting.delete(message.id);
      const result = message.result;
      if (isAnswer(result) && isAnswer(result.structuredContent)) one?.take(result.structuredContent);
      else one?.fail(new Error(line.slice(0, 500)));
    }
  });
  let id = 0;
  return {
    pid: child.pid ?? 0,
    call: (name, args) =>
      new Promise((take, fail) => {
        id += 1;
        waiting.set(id, { take, fail });
        const params = { _meta: ENVELOPE, name, arguments: args };
        child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params })}\n`);
      }),
    end: () => {
      child.stdin.end();
      return exited;
    },
  };
};
