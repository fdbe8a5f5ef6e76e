import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { importsOf, roomOf, sources } from './source.ts';

const ORDER = [
  ['call'],
  ['errors'],
  ['text'],
  ['shell'],
  ['policy'],
  ['state'],
  ['audit'],
  ['gate'],
  ['ssh'],
  ['tools'],
  ['mcp', 'console'],
  ['config'],
  ['cli'],
  ['main'],
];
const rankOf = (room: string): number => ORDER.findIndex(group => group.includes(room));

/** Module specifiers that only the named places may import. */
const FENCES: readonly { readonly what: RegExp; readonly only: readonly RegExp[] }[] = [
  { what: /^(ssh2|p-queue|node:tls)$/, only: [/^src\/ssh\//] },
  { what: /^node:net$/, only: [/^src\/ssh\//, /^src\/console\//] },
  { what: /^@modelcontextprotocol\//, only: [/^src\/mcp\//] },
  // ssh-keygen, which signs and verifies approvals;
  // a program that prints a secret, `ssh -G`, the OpenSSH client of the second transport, and its version for doctor.
  {
    what: /^node:child_process$/,
    only: [
      /^src\/config\/secret-command\.ts$/,
      /^src\/config\/ssh-config\/ask\.ts$/,
      /^src\/ssh\/openssh\/master\.ts$/,
      /^src\/cli\/doctor-ssh\.ts$/,
      /^src\/cli\/ssh-keygen\.ts$/,
    ],
  },
  { what: /^(node:process|process)$/, only: [/^src\/main\.ts$/, /^src\/cli\//] },
  { what: /^(node:sqlite|libsql)$/, only: [/^src\/state\//] },
  { what: /^re2js$/, only: [/^src\/policy\//] },
  { what: /^node:worker_threads$/, only: [/^src\/ssh\/transfer\/tree\/disk-(thread|work)\.ts$/] },
  { what: /^node:(http|https|http2|dgram|vm|inspector)$/, only: [] },
];
const PURE = /^src\/(policy|text|shell)\//;

const files = sources('src');

test('every file imports only its own room and the rooms to its left', () => {
  const wrong = files.flatMap(file =>
    importsOf(file)
      .filter(name => name.startsWith('.'))
      .map(name => roomOf(normalize(join(dirname(file.path), name))))
      .filter(room => room !== file.room && rankOf(room) >= rankOf(file.room))
      .map(room => `${file.path} imports ${room}`),
  );
  expect(wrong).toEqual([]);
});

test('every file lies in a room that the order names', () => {
  expect(files.filter(file => rankOf(file.room) === -1).map(file => file.path)).toEqual([]);
});

test('the SDK, ssh2, sockets, processes and databases are each imported by one room alone', () => {
  const wrong = files.flatMap(file =>
    importsOf(file).flatMap(name =>
      FENCES.filter(fence => fence.what.test(name) && !fence.only.some(place => place.test(file.path))).map(
        () => `${file.path} imports ${name}`,
      ),
    ),
  );
  expect(wrong).toEqual([]);
});

test('the pure rooms import nothing that reads a clock, a file or a socket', () => {
  const wrong = files
    .filter(file => PURE.test(file.path))
    .flatMap(file =>
      importsOf(file)
        .filter(name => name.startsWith('node:') && !['node:crypto', 'node:util', 'node:buffer'].includes(name))
        .map(name => `${file.path} imports ${name}`),
    );
  expect(wrong).toEqual([]);
});

test('only the gate mints permits [G1]', () => {
  const minting = files.filter(file => /\bmint\b/.test(file.text)).map(file => file.path);
  expect(minting).toEqual(['src/gate/gate.ts', 'src/gate/permit.ts']);
});
