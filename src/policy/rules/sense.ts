import type { z } from 'zod';
import { isObject } from '../fields.ts';
import { actionsOf, FILE_ACTIONS } from './action.ts';
import { EVERYWHERE } from './newcomer.ts';

type Said = { readonly key: string; readonly message: string };

/** What narrows a grant or is owed for it; a refusal has none of it. */
const OF_GRANTS = [
  'stdin',
  'detach',
  'alone',
  'glob',
  'env',
  'cwd',
  'limits',
  'timeout',
  'output',
  'approval',
  'input',
  'tags',
] as const;
const OF_COMMANDS = ['commands', 'stdin', 'detach', 'alone', 'glob', 'env', 'cwd', 'match', 'not_match'] as const;
const OF_LISTS = ['stdin', 'alone', 'glob'] as const;

/** Says of a rule what cannot go together; runs although other members are wrong. */
export const sense = (rule: unknown, context: z.RefinementCtx): void => {
  if (!isObject(rule)) return;
  const actions = actionsOf(rule);
  for (const { key, message } of [
    ...ofEffect(rule),
    ...ofActions(rule, actions),
    ...ofPaths(rule, actions),
    ...ofTunnels(rule, actions),
    ...ofNewcomers(rule, actions),
  ])
    context.addIssue({ code: 'custom', path: rule[key] === undefined ? [] : [key], message });
};

type Rule = Readonly<Record<string, unknown>>;

const given = (rule: Rule, keys: readonly string[]): readonly string[] => keys.filter(key => rule[key] !== undefined);

const ofEffect = (rule: Rule): readonly Said[] => {
  if (rule.effect === 'deny')
    return given(rule, OF_GRANTS).map(key => ({ key, message: 'means nothing in a deny, which grants nothing' }));
  const approval: readonly Said[] =
    rule.effect === 'allow' && rule.approval !== undefined
      ? [{ key: 'approval', message: 'means nothing in an allow: write "effect": "ask"' }]
      : [];
  const silent = rule.actions === undefined && rule.commands === undefined;
  return silent
    ? [...approval, { key: '', message: 'does not say what it grants: write commands, or actions' }]
    : approval;
};

const ofActions = (rule: Rule, actions: readonly string[]): readonly Said[] => {
  if (!actions.includes('exec') && actions.length > 0)
    return given(rule, OF_COMMANDS).map(key => ({ key, message: 'is about commands, and the rule has no "exec"' }));
  if (Array.isArray(rule.commands) || actions.length === 0) return [];
  return given(rule, OF_LISTS).map(key => ({ key, message: 'narrows nothing where any command is meant' }));
};

const ofPaths = (rule: Rule, actions: readonly string[]): readonly Said[] => {
  const file = actions.find(action => FILE_ACTIONS.includes(action));
  const said: Said[] = [];
  if (rule.paths !== undefined && file === undefined)
    said.push({ key: 'paths', message: 'is about files: name read, write, list or delete in actions' });
  if (rule.paths === undefined && file !== undefined && rule.effect !== 'deny')
    said.push({ key: 'actions', message: `has ${file} without paths; ["/**"] is every file` });
  if (rule.ports !== undefined && !actions.includes('forward') && !actions.includes('configure'))
    said.push({ key: 'ports', message: 'is about tunnels and new hosts: name forward or configure in actions' });
  if (rule.input !== undefined && !actions.includes('input') && rule.effect !== 'deny')
    said.push({ key: 'input', message: 'is about keys typed to a program: name input in actions' });
  if (rule.effect !== 'deny' && actions.includes('input')) {
    if (!actions.includes('exec'))
      said.push({
        key: 'actions',
        message: 'has input without exec: keys are typed to programs that the same rule grants',
      });
    if (rule.input === undefined)
      said.push({ key: 'actions', message: 'has input without keys: write input, a list of keys or "any"' });
  }
  return said;
};

/** A grant of tunnels says to which ports: an address alone has everything that listens there. */
const ofTunnels = (rule: Rule, actions: readonly string[]): readonly Said[] => {
  if (!actions.includes('forward'))
    return given(rule, ['directions']).map(key => ({ key, message: 'is about tunnels: name forward in actions' }));
  if (rule.effect === 'deny' || rule.ports !== undefined) return [];
  return [{ key: 'actions', message: 'has forward without ports: write where tunnels may lead, as in [5432]' }];
};

/** A grant to change the list of hosts says which: by their names and by their addresses. */
const ofNewcomers = (rule: Rule, actions: readonly string[]): readonly Said[] => {
  if (!actions.includes('configure')) {
    const placed = actions.includes('forward') ? [] : given(rule, ['addresses']);
    return [
      ...placed.map(key => ({ key, message: 'is about new hosts and tunnels: name configure or forward in actions' })),
      ...given(rule, ['tags']).map(key => ({ key, message: 'is about hosts to be added: name configure in actions' })),
    ];
  }
  if (rule.effect === 'deny') return [];
  const hosts: readonly unknown[] = Array.isArray(rule.hosts) ? rule.hosts : [];
  const said: Said[] = [];
  if (rule.hosts === undefined)
    said.push({
      key: 'actions',
      message: 'has configure without hosts: write how new ones may be named, as in ["staging-*"]',
    });
  if (hosts.some(entry => typeof entry === 'string' && entry.startsWith('tag:')))
    said.push({
      key: 'hosts',
      message: "has a tag: new hosts are granted by their names, for their tags are the agent's own words",
    });
  if (Array.isArray(rule.addresses) && rule.addresses.includes(EVERYWHERE))
    said.push({
      key: 'addresses',
      message: 'has "*": new hosts lie in networks, or in domains that are named in full',
    });
  if (rule.addresses === undefined)
    said.push({
      key: 'actions',
      message: 'has configure without addresses: write where new hosts may lie, as in ["10.20.0.0/16"]',
    });
  return said;
};
