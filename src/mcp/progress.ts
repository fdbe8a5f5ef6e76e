import type { ServerContext } from '@modelcontextprotocol/server';

const EVERY_MS = 1000;

/** Progress for a client that sent a token: strictly increasing, at most one a second, none after `stop`; silence for others. */
export const progressOf = (
  { mcpReq }: ServerContext,
  monoMs: () => number,
): { say: (message: string) => void; stop: () => void } => {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return { say: () => undefined, stop: () => undefined };
  let progress = 0;
  let lastAt = -EVERY_MS;
  let stopped = false;
  return {
    say: message => {
      const now = monoMs();
      if (stopped || now - lastAt < EVERY_MS) return;
      lastAt = now;
      progress += 1;
      // A client that is gone cannot be told; its call is aborted by the transport's own close.
      mcpReq
        .notify({ method: 'notifications/progress', params: { progressToken, progress, message } })
        .catch(() => undefined);
    },
    stop: () => {
      stopped = true;
    },
  };
};
