import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exec } from '../../src/tools/exec.ts';
import { readOutput } from '../../src/tools/read-output.ts';
import type { Answer, Tool } from '../../src/tools/tool.ts';
import { type TestHouse, testHouse } from '../support/house.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

const POLICY = {
  rules: [
    { id: 'some', effect: 'allow', commands: 'any' },
    { id: 'little', effect: 'allow', commands: ['yes'], output: { max_bytes: 5000 } },
  ],
};

let sshd: Sshd;
let web: TestHouse;
beforeAll(async () => {
  sshd = await startSshd();
  web = testHouse([await sshd.host()], POLICY, [sshd.knownHosts]);
});
afterAll(async () => {
  web[Symbol.dispose]();
  await sshd.close();
});

const call = async (tool: Tool, args: Record<string, unknown>): Promise<Answer> => await web.call(tool, args);
const run = async (command: string): Promise<Answer> => await call(exec, { host: 'web', command });

describe('an output that the policy limits', () => {
  test('ends its command as cancelled, with the reason and what to do instead', async () => {
    const { structured, text } = await run('yes');
    expect(structured).toMatchObject({
      status: 'cancelled',
      output_limit: 5000,
      discarded: expect.any(Number),
      stdout_omitted: 0,
      stop: { outcome: 'confirmed', signals: ['INT'], remaining: [] },
    });
    expect(structured.stdout).toBe('y\n'.repeat(2500));
    expect(text).toMatch(/^cancelled on web after \d+ ms \(cmd_[\w-]+\); stopped after INT, nothing of it is alive\n/);
    expect(text).toContain('It wrote more than the 5000 bytes that it may, and was stopped; the rest is not kept.');
    const again = await call(readOutput, { command_id: structured.command_id, cursor: 4998 });
    expect(again.structured).toMatchObject({ text: 'y\n', cursor: 5000, more: false, output_limit: 5000 });
    expect(again.text).toContain('It wrote more than the 5000 bytes that it may');
  });

  test('says nothing of a limit that was not passed', async () => {
    const { structured } = await run('yes | head -n 9');
    expect(structured).toMatchObject({ status: 'exited', exit_code: 0 });
    expect(Object.keys(structured)).not.toContain('output_limit');
  });
});

describe('binary output', () => {
  const bytes = Buffer.from(Array.from({ length: 51_200 }, (_, index) => index % 256));
  const command = 'all=$(printf "\\\\%03o" $(seq 0 255)); for n in $(seq 200); do printf "$all"; done; echo done >&2';

  test('is told by size and hash, and shown in short', async () => {
    const { structured, text } = await run(command);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(structured).toMatchObject({ status: 'exited', stdout_binary: { bytes: 51_200, sha256 }, stderr: 'done\n' });
    expect(Object.keys(structured)).not.toContain('stderr_binary');
    expect(String(structured.stdout).length).toBeLessThan(700);
    expect(text).toContain(`stdout (binary data, 51200 bytes, SHA-256 ${sha256}; a part of it, made readable):\n`);
    const more = await call(readOutput, { command_id: structured.command_id, max_bytes: 100 });
    expect(more.structured).toMatchObject({ binary: { bytes: 51_200, sha256 }, more: true });
    expect(more.text).toContain(`; it is binary data, 51200 bytes, SHA-256 ${sha256}\n`);
  });
});

test('both streams can be read in the order in which they arrived, from cursor to cursor', async () => {
  const { structured } = await run('echo one; sleep 0.05; echo two >&2; sleep 0.05; echo three');
  const id = structured.command_id;
  const first = await call(readOutput, { command_id: id, stream: 'both', max_bytes: 64 });
  expect(first.structured).toMatchObject({ stream: 'both', text: 'one\ntwo\nthree\n', cursor: 14, dropped: 0 });
  expect((await call(readOutput, { command_id: id, stream: 'both', cursor: 4 })).structured).toMatchObject({
    text: 'two\nthree\n',
  });
});

test('who waits for both is woken by either', async () => {
  const { structured } = await call(exec, {
    host: 'web',
    command: 'echo begun; sleep 0.2; echo later >&2; exec sleep 2',
    wait_ms: 0,
    timeout_ms: 5000,
  });
  const id = structured.command_id;
  await call(readOutput, { command_id: id, stream: 'both', wait_ms: 5000 });
  const later = await call(readOutput, { command_id: id, stream: 'both', cursor: 6, wait_ms: 5000 });
  expect(later.structured).toMatchObject({ status: 'running', text: 'later\n' });
});
