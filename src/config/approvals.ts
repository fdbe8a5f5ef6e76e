import * as z from 'zod';
import { program } from './host-schema.ts';
import { path, section } from './section.ts';

/** Who may say yes to what the policy asks about, and how much may be asked. */
export const approvalsSchema = section({
  allowedSigners: path.optional(),
  revokedKeys: path.optional(),
  key: path.optional(),
  notify: z.tuple([program], z.string()).optional(),
  perMinute: z.int().min(1).max(60).default(10),
  waiting: z.int().min(1).max(64).default(16),
});

/** The same with absolute paths. */
export type ApprovalsConfig = {
  /** In the format of ssh-keygen(1), ALLOWED SIGNERS; nobody can approve as an operator without it. */
  readonly allowedSigners: string | undefined;
  /** Keys that count no longer: a KRL, or public keys line by line. */
  readonly revokedKeys: string | undefined;
  /** What `sallyport approvals approve` signs with: a private key, or a public one whose private half an agent holds. */
  readonly key: string | undefined;
  /** Run for each question that operators may answer. */
  readonly notify: readonly [string, ...string[]] | undefined;
  readonly limits: { readonly perMinute: number; readonly waiting: number };
};

/** Makes its paths absolute by `absolute`. */
export const approvalsOf = (
  { allowedSigners, revokedKeys, key, notify, ...limits }: z.output<typeof approvalsSchema>,
  absolute: (path: string) => string,
): ApprovalsConfig => ({
  allowedSigners: allowedSigners === undefined ? undefined : absolute(allowedSigners),
  revokedKeys: revokedKeys === undefined ? undefined : absolute(revokedKeys),
  key: key === undefined ? undefined : absolute(key),
  notify: notify === undefined ? undefined : withProgram(notify, absolute),
  limits,
});

const withProgram = (
  [program, ...rest]: readonly [string, ...string[]],
  absolute: (path: string) => string,
): readonly [string, ...string[]] => [program.startsWith('~/') ? absolute(program) : program, ...rest];
