import type { Call, Target, Transfer } from '../call.ts';
import { decideAsIfReal } from './as-if-real.ts';
import type { Policy } from './decide.ts';
import { pathSamples } from './synopsis/path-samples.ts';

/**
 * Which files transfers may read and write at a place, as patterns of paths: those of the rules that grant it now, as they are written;
 * a file of one can still be refused by a rule that denies. What needs approval is not in it.
 */
export type FileOutlook = { readonly reads: readonly string[]; readonly writes: readonly string[] };

type Onlooker = { readonly grant: string; readonly at: number };

/** What may be read and written there now: no pattern is claimed of which no file was decided, as a call for it would be. */
export const fileOutlookOn = (policy: Policy, target: Target, { grant, at }: Onlooker): FileOutlook => {
  const rules = policy.book?.at(target).grants.filter(rule => rule.effect === 'allow' && rule.inForce(at));
  const patterns = (access: 'read' | 'write'): readonly string[] =>
    rules === undefined ? ['/**'] : rules.flatMap(rule => (rule.does(access) ? (rule.paths ?? ['/**']) : []));
  const may = (tool: Tool, remotePath: string): boolean => {
    const call = { ...callOf(tool, remotePath, target), id: 'outlook', grant, at };
    return decideAsIfReal(policy, call, { host: target.host }).effect === 'allow';
  };
  const open = (tool: Tool, access: 'read' | 'write'): readonly string[] =>
    [...new Set(patterns(access))].filter(pattern => pathSamples(pattern).some(path => may(tool, path))).sort();
  return { reads: open('ssh_download', 'read'), writes: open('ssh_upload', 'write') };
};

type Tool = 'ssh_upload' | 'ssh_download';

/** The smallest that there is: no limit of bytes is in its way. */
const callOf = (tool: Tool, remotePath: string, target: Target): Pick<Call<Transfer>, 'tool' | 'input' | 'action'> => {
  const what = { kind: 'transfer', target, remotePath, resume: false } as const;
  const input = { host: target.host, remote_path: remotePath, reason: 'a look' };
  return tool === 'ssh_upload'
    ? { tool, input: { ...input, content: '' }, action: { ...what, direction: 'upload', from: { content: '' } } }
    : { tool, input, action: { ...what, direction: 'download', to: 'text', offset: 0, maxBytes: 1 } };
};
