/** A promise that may be left alone: that it rejects then ends no process. */
export const heard = <T>(promise: Promise<T>): Promise<T> => {
  promise.catch(() => undefined);
  return promise;
};
