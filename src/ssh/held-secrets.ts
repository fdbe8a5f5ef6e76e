import { Redaction } from '../text/redact.ts';
import type { Host } from './host.ts';
import { Secret } from './secret.ts';

/** What must not be shown because it is a secret of these hosts: each is learned when it is fetched, and none is fetched for it. */
export const heldSecrets = (hosts: readonly Host[]): Redaction => {
  const redaction = new Redaction();
  for (const secret of secretsIn(hosts)) secret.whenRevealed(text => redaction.add(text));
  return redaction;
};

const secretsIn = (value: unknown): readonly Secret[] => {
  if (value instanceof Secret) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(secretsIn) : [];
};
