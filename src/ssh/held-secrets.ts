import { Redaction } from '../text/redact.ts';
import type { Inventory } from './inventory.ts';
import { Secret } from './secret.ts';

/** What must not be shown because it is a secret of these hosts: each is learned when it is fetched, and none is fetched for it. */
export const heldSecrets = (inventory: Inventory): Redaction => {
  const redaction = new Redaction();
  const heard = new WeakSet<Secret>();
  const hear = (): void => {
    for (const secret of secretsIn(inventory.all())) {
      if (heard.has(secret)) continue;
      heard.add(secret);
      secret.whenRevealed(text => redaction.add(text));
    }
  };
  hear();
  inventory.onChange(hear);
  return redaction;
};

/** Every secret that a value refers to. */
export const secretsIn = (value: unknown): readonly Secret[] => {
  if (value instanceof Secret) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(secretsIn) : [];
};
