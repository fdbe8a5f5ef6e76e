// What the SDK takes from its runtime, without the JSON Schema validator that it would load at every start:
// only answers to elicitation are held against schemas, and the server passes its own validator for those.
export { default as process } from 'node:process';
export class DefaultJsonSchemaValidator {
  getValidator() {
    throw new Error('the server passes its own validator');
  }
}
