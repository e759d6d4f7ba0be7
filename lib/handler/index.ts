// The entry point of the Lambda function behind the three custom resources.
import { createHandler } from './create-handler';
import { defaultWorld } from './world';

export { createHandler } from './create-handler';
export type { Handler, HandlerAnswer, LambdaContext } from './create-handler';
export { defaultWorld } from './world';
export type { Clock, World } from './world';

export const handler = createHandler(defaultWorld());
