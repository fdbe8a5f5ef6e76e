import type { AuditRecord } from '../../src/audit/record.ts';

/** A call that was admitted, with its number in its id. */
export const admitted = (id: string | number, command = 'uptime'): AuditRecord => ({
  event: 'admitted',
  call_id: `call-${id}`,
  grant: 'local',
  tool: 'ssh_exec',
  because: [{ rule: '/rules/look', reason: 'Looking is allowed.' }],
  action: { kind: 'exec', host: 'web-1', command },
  policy: 'sha256:00',
});

/** A call that was refused. */
export const refused = (id: string | number, tool = 'ssh_exec'): AuditRecord => ({
  event: 'refused',
  call_id: `call-${id}`,
  grant: 'local',
  tool,
  code: 'POLICY_DENIED',
  policy: 'sha256:00',
});

/** The end of a call. */
export const ended = (id: string | number): AuditRecord => ({
  event: 'ended',
  call_id: `call-${id}`,
  grant: 'local',
  tool: 'ssh_exec',
  end: { how: 'exited', code: 0 },
});
