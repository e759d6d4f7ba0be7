// The entry point of the Lambda function behind the three custom resources.
import { createHandler } from './handler';
import { defaultWorld } from '../../operations/context/services';

export { createHandler } from './handler';
export type { Handler, HandlerAnswer, LambdaContext } from './handler';
export { defaultWorld } from '../../operations/context/services';
export type { Clock, World } from '../../operations/context/services';

export const handler = createHandler(defaultWorld());
