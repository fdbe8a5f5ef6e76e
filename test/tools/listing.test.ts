import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listingOf } from '../../src/mcp/listing.ts';
import { TOOL_NAMES } from '../../src/policy/tool-names.ts';
import { TOOLS } from '../../src/tools/index.ts';
import { ROOT } from '../shape/source.ts';

const FOLDER = join(ROOT, 'test', 'tools', 'listing');

test.each(TOOLS.map(tool => ({ name: tool.name, tool })))(
  '$name is listed as its snapshot says',
  async ({ name, tool }) => {
    await expect(`${JSON.stringify(listingOf(tool), null, 2)}\n`).toMatchFileSnapshot(join(FOLDER, `${name}.json`));
  },
);

test('there is no snapshot of a tool that does not exist', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(TOOLS.map(tool => `${tool.name}.json`).sort());
});

test('the policy knows every tool by name', () => {
  expect(TOOLS.map(tool => tool.name).filter(name => !TOOL_NAMES.includes(name))).toEqual([]);
});

test('every tool sets all four annotations, and what reads or stops asks no client for approval', () => {
  const rows = TOOLS.map(tool => ({ name: tool.name, risk: tool.risk, ...listingOf(tool).annotations }));
  for (const row of rows) {
    expect(
      [row.readOnlyHint, row.destructiveHint, row.idempotentHint, row.openWorldHint].every(
        hint => typeof hint === 'boolean',
      ),
    ).toBe(true);
    if (row.risk === 'read' || row.risk === 'stop')
      expect(row.readOnlyHint || (!row.destructiveHint && !row.openWorldHint)).toBe(true);
  }
  expect(rows.filter(row => row.destructiveHint).map(row => row.name)).toEqual([
    'ssh_exec',
    'ssh_session_send',
    'ssh_upload',
    'ssh_download',
  ]);
});

test('every argument tells the model what it is', () => {
  const silent = TOOLS.flatMap(tool => {
    const { properties } = listingOf(tool).inputSchema;
    if (typeof properties !== 'object' || properties === null) return [];
    return Object.entries(properties)
      .filter(([, schema]) => typeof schema.description !== 'string')
      .map(([key]) => `${tool.name}.${key}`);
  });
  expect(silent).toEqual([]);
});

test('the listing stays small enough to be carried in every conversation', () => {
  const sizes = TOOLS.map(tool => {
    const { name, description, inputSchema } = listingOf(tool);
    return JSON.stringify({ name, description, inputSchema }).length;
  });
  // About four characters make a token: at most 500 a tool, 3,000 for all.
  expect(Math.max(...sizes)).toBeLessThan(2_000);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(12_000);
});
