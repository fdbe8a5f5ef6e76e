/** Every command but `serve`, in one piece: the fewer pieces the bundle has, the sooner a server answers. */
export { auditVerify } from './audit-verify.ts';
export { doctor } from './doctor.ts';
export { hostsList } from './hosts-list.ts';
export { hostsTest } from './hosts-test.ts';
export { hostsTrust } from './hosts-trust.ts';
export { init } from './init.ts';
export { policyExplain } from './policy-explain.ts';
export { policyValidate } from './policy-validate.ts';
