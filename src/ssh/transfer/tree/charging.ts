import type { FileLeave } from '../../../gate/file-leave.ts';

/**
 * The charge of a leave for many who work at once: what is asked for in one moment, or while another charge is under way, is charged
 * together. A promise resolves when a charge that began after its call has been taken, so what was judged before it is covered.
 */
export const chargingOf = (leave: FileLeave): FileLeave['charge'] => {
  let last: Promise<void> = Promise.resolve();
  let gathering: { bytes: number; readonly charged: Promise<void> } | undefined;
  const gather = (): { bytes: number; readonly charged: Promise<void> } => {
    const charged = last.then(async () => {
      const bytes = gathering?.bytes ?? 0;
      gathering = undefined;
      await leave.charge(bytes);
    });
    last = charged.catch(() => undefined);
    return { bytes: 0, charged };
  };
  return async bytes => {
    gathering ??= gather();
    gathering.bytes += bytes;
    await gathering.charged;
  };
};
