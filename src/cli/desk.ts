/** Every command but `serve`, in one piece: the fewer pieces the bundle has, the sooner a server answers. */
export { auditVerify } from './audit-verify.ts';
export { doctor } from './doctor.ts';
export { hostsList } from './hosts-list.ts';
export { hostsTest } from './hosts-test.ts';
export { hostsTrust } from './hosts-trust.ts';
export { init } from './init.ts';
export { policyCan } from './policy-can.ts';
export { policyDiff } from './policy-diff.ts';
export { policyExplain } from './policy-explain.ts';
export { policyInit } from './policy-init.ts';
export { policySchemaCommand } from './policy-schema.ts';
export { policyTest } from './policy-test.ts';
export { policyValidate } from './policy-validate.ts';
export { sessionsEnd } from './sessions-end.ts';
export { sessionsList } from './sessions-list.ts';
export { sessionsWatch } from './sessions-watch.ts';
