import { execFileSync, spawnSync } from 'node:child_process';

/** Another machine as far as the network goes: a namespace of its own at the end of a line of two (ip-netns(8)). */
export type Namespace = Disposable & {
  /** Its address. */
  readonly address: string;
  /** An address beyond it: what is sent there is never heard of again. */
  readonly blackhole: string;
  /** Put before a program to have it run there. */
  readonly within: readonly string[];
  /** Takes its end of the line down: nobody is told. */
  readonly cut: () => void;
};

/** Whether this machine lets the tests lay networks: it takes root and network namespaces. */
export const mayLayNetworks = (): boolean => spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up']).status === 0;

const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });

/** Makes one; two test processes never have the same. */
export const layNamespace = (): Namespace => {
  const name = `sp${process.pid}`;
  const [near, far] = [`${name}a`, `${name}b`];
  const net = `10.231.${process.pid % 256}`;
  const [address, blackhole] = [`${net}.2`, `${net}.9`];
  const remove = (): void => ip('netns', 'delete', name);
  ip('netns', 'add', name);
  try {
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name);
    ip('address', 'add', `${net}.1/30`, 'dev', near);
    ip('link', 'set', near, 'up');
    ip('-n', name, 'address', 'add', `${address}/30`, 'dev', far);
    ip('-n', name, 'link', 'set', far, 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
    // It forwards nothing, and says nothing of that.
    ip('route', 'add', `${blackhole}/32`, 'via', address);
  } catch (error) {
    remove();
    throw error;
  }
  return {
    ...{ address, blackhole },
    within: ['ip', 'netns', 'exec', name],
    cut: () => ip('-n', name, 'link', 'set', far, 'down'),
    // The line goes with it.
    [Symbol.dispose]: remove,
  };
};
