import * as z from 'zod';
import { isFingerprint, isHostName } from '../ssh/host.ts';
import { oneOf, oneOrMore } from './choice.ts';
import { isGrantName } from './grant.ts';
import { path, section } from './section.ts';

const LITERAL =
  'a secret is never written here: say where it lies, as {"env": "NAME"}, {"command": ["pass", "show", "x"]} or {"file": "~/path"}';
const PLACE = 'must be {"env": "NAME"}, {"command": ["program", "argument"]} or {"file": "path"}';
const LOGIN = 'must be {"agent": true}, {"key": "path"}, {"password": SECRET} or {"interactive": [QUESTIONS]}';

/** A program that is run without a shell. */
export const program = z
  .string()
  .min(1)
  .refine(
    text => !text.includes('/') || text.startsWith('/') || text.startsWith('~/'),
    'must be an absolute path, one under ~/, or a name found on PATH',
  );

const secret = oneOf(
  {
    env: section({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a variable') }),
    command: section({ command: z.tuple([program], z.string()) }),
    file: section({ file: path }),
  },
  value => (typeof value === 'object' ? PLACE : LITERAL),
);

const question = section({ asks: z.string().trim().min(1).max(200), answer: secret });

const login = oneOf(
  {
    agent: section({ agent: z.literal(true), only: oneOrMore(path).optional(), socket: path.optional() }),
    key: section({ key: path, passphrase: secret.optional(), certificate: path.optional() }),
    password: section({ password: secret }),
    interactive: section({ interactive: oneOrMore(question) }),
  },
  () => LOGIN,
);

const fingerprint = z.string().refine(isFingerprint, 'must be SHA256: and 43 characters, as ssh-keygen -l prints it');

/** A DNS name or an IP address. */
export const address = z
  .string()
  .regex(/^[A-Za-z0-9_.:%-]{1,255}$/, 'must be a DNS name or an IP address, without brackets, user or port')
  .refine(text => !text.startsWith('-'), 'an address does not begin with a dash');

/** The name of an account. */
export const user = z
  .string()
  .regex(/^[^\s\p{C}:/]{1,128}$/u, 'must be the name of an account')
  .refine(text => !text.startsWith('-'), 'an account does not begin with a dash');

/** A TCP port. */
export const port = z.int().min(1).max(65535);

const tag = z.string().refine(isHostName, 'must be letters, digits, ., _ and -');

const keyAlias = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.:%-]{0,254}$/, 'must be the name that stands in known_hosts, without patterns');

/** A host as config.json writes it; `whole` when nothing else could say where it is. */
export const hostSchema = (whole: boolean) =>
  section(
    {
      address: whole ? address : address.optional(),
      port: port.optional(),
      user: whole ? user : user.optional(),
      auth: oneOrMore(login).optional(),
      via: z.string().refine(isHostName, 'must be the name of a host').optional(),
      transport: z.enum(['ssh2', 'openssh']).optional(),
      hostKey: oneOrMore(fingerprint).optional(),
      knownHosts: oneOrMore(path).optional(),
      keyAlias: keyAlias.optional(),
      sudoPassword: secret.optional(),
      tags: z.array(tag).default([]),
      addedBy: z.string().refine(isGrantName, 'must be the name of a grant').optional(),
    },
    ['shell', 'limits'],
  );

/** One host as parsed. */
export type ParsedHost = z.output<ReturnType<typeof hostSchema>>;
/** One way to log in, as parsed. */
export type ParsedLogin = z.output<typeof login>;
/** Where a secret lies, as parsed. */
export type ParsedSecret = z.output<typeof secret>;
