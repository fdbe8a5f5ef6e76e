/** The messages of the connection protocol (RFC 4254 section 9). */
export const MSG = {
  IGNORE: 2,
  UNIMPLEMENTED: 3,
  DEBUG: 4,
  GLOBAL_REQUEST: 80,
  REQUEST_SUCCESS: 81,
  REQUEST_FAILURE: 82,
  OPEN: 90,
  OPEN_CONFIRMATION: 91,
  OPEN_FAILURE: 92,
  WINDOW_ADJUST: 93,
  DATA: 94,
  EXTENDED_DATA: 95,
  EOF: 96,
  CLOSE: 97,
  REQUEST: 98,
  SUCCESS: 99,
  FAILURE: 100,
} as const;

/** RFC 4254 section 5.1: what a host opens towards us is administratively prohibited. */
export const PROHIBITED = 1;
/** RFC 4254 section 5.2: the one kind of extended data there is. */
export const STDERR = 1;
