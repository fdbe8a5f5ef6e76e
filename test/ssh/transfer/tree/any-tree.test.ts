import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Failure } from '../../../../src/errors.ts';
import { bytesOf } from '../../../../src/text/byte-name.ts';
import { leaveOf } from '../../../support/leave.ts';
import { layTreeGround, type TreeGround } from './ground.ts';
import { diff, here, tableOf } from './same.ts';

let ground: TreeGround;
beforeAll(async () => {
  ground = await layTreeGround();
});
afterAll(async () => await ground[Symbol.asyncDispose]());

type Node =
  | { readonly kind: 'file'; readonly size: number; readonly mode: number; readonly at: number }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'folder'; readonly mode: number; readonly at: number; readonly inside: readonly Named[] };
type Named = { readonly name: Buffer; readonly node: Node };

/** Every byte that POSIX allows in a name, but for control characters. */
const name = fc
  .uint8Array({ minLength: 1, maxLength: 24 })
  .map(bytes => Buffer.from(bytes.map(byte => (byte < 0x20 || byte === 0x2f || byte === 0x7f ? 0x2b : byte))))
  .filter(bytes => !/^\.\.?$/.test(bytes.toString('latin1')) && !/[\u0080-\u009f]/.test(bytes.toString('utf8')));
const SIZES = [
  0, 1, 4_096, 32_767, 32_768, 32_769, 261_119, 261_120, 261_121, 1_048_575, 1_048_576, 1_048_577,
] as const;
const when = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const mode = fc.integer({ min: 0, max: 0o777 });
const file = fc.record({ kind: fc.constant('file' as const), size: fc.constantFrom(...SIZES), mode, at: when });
const link = fc.record({ kind: fc.constant('link' as const), target: fc.constantFrom('x', 'a/b', './x', 'x y') });
const { node: tree } = fc.letrec<{ node: readonly Named[]; folder: Node }>(tie => ({
  node: fc
    .array(fc.record({ name, node: fc.oneof({ maxDepth: 3 }, file, link, tie('folder')) }), { maxLength: 6 })
    .map(list => [...new Map(list.map(one => [one.name.toString('latin1'), one])).values()]),
  folder: fc.record({ kind: fc.constant('folder' as const), mode, at: when, inside: tie('node') }),
}));

const lay = (root: Buffer, inside: readonly Named[]): void => {
  for (const { name, node } of inside) {
    const path = Buffer.concat([root, Buffer.from('/'), name]);
    if (node.kind === 'link') symlinkSync(node.target, path);
    else if (node.kind === 'file') {
      // Whole blocks of zeros among the data, so that holes are met too.
      const content = Buffer.alloc(node.size);
      for (let at = 0; at < node.size; at += 100_000) content.write(`${node.at}.${at}`, at);
      writeFileSync(path, content);
      chmodSync(path, node.mode);
      utimesSync(path, node.at, node.at);
    } else {
      mkdirSync(path);
      lay(path, node.inside);
      chmodSync(path, node.mode);
      utimesSync(path, node.at, node.at);
    }
  }
};

test('any tree arrives as it is, up and down, and moves nothing when it is copied again', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(tree, async inside => {
      const from = await ground.folder();
      lay(Buffer.from(from), inside);
      const [there, back] = [ground.nothing(), ground.nothing()];
      const up = await ground.upload(from, there, { links: 'copy' });
      expect(up.leftOut).toEqual([]);
      expect(tableOf(there)).toEqual(tableOf(from));
      const down = await ground.download(there, back, { links: 'copy' });
      expect(down.leftOut).toEqual([]);
      expect(tableOf(back)).toEqual(tableOf(from, here));
      expect(await diff(from, there)).toBe('');
      const again = [
        await ground.upload(from, there, { links: 'copy', deleteExtra: true }),
        await ground.download(there, back, { links: 'copy' }),
      ];
      const still = { files: 0, bytes: 0, folders: 0, links: 0, deleted: 0, leftOutCount: 0 };
      expect(again).toMatchObject([still, still]);
      expect(tableOf(there)).toEqual(tableOf(from));
    }),
    { numRuns: 25, seed: 20_261_121 },
  );
});

test('whatever the policy refuses is missing and said, and everything else is there', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(tree, fc.integer({ min: 0, max: 15 }), async (inside, refused) => {
      const from = await ground.folder();
      lay(Buffer.from(from), inside);
      const there = ground.nothing();
      const isRefused = (path: string): boolean => path !== there && (bytesOf(path).at(-1) ?? 0) % 16 === refused;
      const leave = leaveOf((_access, path) => (isRefused(path) ? new Failure('POLICY_DENIED', 'No.') : undefined));
      const counts = await ground.upload(from, there, { links: 'copy', leave: { ...leave, barred: () => undefined } });
      const wanted = tableOf(from).filter(line => {
        const path = line.replace(/ (file|folder|link) .*$/s, '');
        return !path.split('/').some(part => part !== '' && (Buffer.from(part, 'latin1').at(-1) ?? 0) % 16 === refused);
      });
      const plain = (lines: readonly string[]) => lines.filter(line => !line.startsWith(' folder'));
      expect(plain(tableOf(there))).toEqual(plain(wanted));
      expect(counts.leftOut.every(({ why }) => why.code === 'POLICY_DENIED')).toBe(true);
    }),
    { numRuns: 15, seed: 20_261_121 },
  );
});
