import type { Finding } from '../../src/cli/finding.ts';
import type { Person } from './person.ts';

/** What doctor found, as a script reads it. */
export type Report = { readonly code: number; readonly ok: boolean; readonly findings: readonly Finding[] };

/** Runs `doctor --json`. */
export const examine = async (somebody: Person, ...argv: readonly string[]): Promise<Report> => {
  const { code, stdout } = await somebody.type('doctor', '--json', ...argv);
  return { code, ...JSON.parse(stdout) };
};

/** `status check` of each finding, in order. */
export const statuses = ({ findings }: Report): readonly string[] =>
  findings.map(({ check, status }) => `${status} ${check}`);

/** What was found of one check. */
export const foundOf = ({ findings }: Report, check: string): readonly Finding[] =>
  findings.filter(finding => finding.check === check);

/** A policy that is sound and says next to nothing. */
export const POLICY = '{"version": "1", "default": "deny", "tools": {"ssh_list_hosts": {}}}';

/** Writes a configuration with these hosts, and that policy. */
export const settle = async (somebody: Person, hosts: object, more: object = {}): Promise<void> => {
  await somebody.home.write('.config/sallyport/config.json', JSON.stringify({ hosts, ...more }));
  await somebody.home.write('.config/sallyport/policy.json', POLICY);
};
