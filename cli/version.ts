/** The version of the command, which is that of the management API. */
export const VERSION = "0.1.0";
