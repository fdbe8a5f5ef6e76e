/** How much has moved, of how much where that is known, in how many files and how long. */
type Progress = {
  readonly bytes: number;
  readonly totalBytes?: number | undefined;
  readonly files?: number | undefined;
  readonly durationMs: number;
};

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const;

/** A size as people say it, in powers of a thousand: `512 bytes`, `12.3 MB`. */
export const sizeText = (bytes: number): string => {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
};

/** How far a transfer is: `12.3 MB of 80.0 MB, 31.0 MB/s`. */
export const progressOf = ({ bytes, totalBytes, files, durationMs }: Progress): string => {
  const all = totalBytes === undefined ? '' : ` of ${sizeText(totalBytes)}`;
  const count = files === undefined ? '' : `${files} files, `;
  const rate = durationMs < 1 ? '' : `, ${sizeText((bytes * 1_000) / durationMs)}/s`;
  return `${count}${sizeText(bytes)}${all}${rate}`;
};
