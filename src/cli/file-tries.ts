import { ACTIONS, FILE_ACTIONS } from '../policy/rules/action.ts';
import type { Rule } from '../policy/rules/rule.ts';
import type { TestCall } from '../policy/rules/tests.ts';
import { pathSamples } from '../policy/synopsis/path-samples.ts';

/** Transfers that a rule about files may mean: each access that it speaks of, to a file of each of its patterns. */
export const fileTries = (rule: Rule): readonly TestCall[] => {
  const paths = (rule.paths ?? ['/**']).flatMap(pathSamples);
  return ACTIONS.filter(action => FILE_ACTIONS.includes(action) && rule.does(action)).flatMap(action =>
    paths.map(path => transferTry(action, path)),
  );
};

/** A transfer that needs this access to this path. */
export const transferTry = (action: string, remote_path: string): TestCall => {
  if (action === 'read') return { tool: 'ssh_download', args: { remote_path } };
  if (action === 'write') return { tool: 'ssh_upload', args: { remote_path, content: 'x' } };
  const tree = { remote_path, local_path: 'x', recursive: true };
  return action === 'list'
    ? { tool: 'ssh_download', args: tree }
    : { tool: 'ssh_upload', args: { ...tree, delete_extra: true } };
};
