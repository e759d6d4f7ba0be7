// The entry point of the Lambda function behind the three custom resources.
import { createHandler } from './handler';
import { defaultWorld } from '../runtime/services';

export { createHandler } from './handler';
export type { Handler, HandlerAnswer, LambdaContext } from './handler';
export { defaultWorld } from '../runtime/services';
export type { Clock, World } from '../runtime/services';

export const handler = createHandler(defaultWorld());
