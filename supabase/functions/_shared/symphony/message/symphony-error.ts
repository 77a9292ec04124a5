/** The base of the errors of the bus. */

/** Base of the errors that handlers throw: `name` is the class's name, in subclasses too. */
export abstract class SymphonyError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
