// The entry point of the Lambda function behind the three custom resources.
import { defaultServices } from '../runtime/services';
import { createHandler } from './handler';

export { createHandler } from './handler';
export type { Handler, HandlerAnswer, LambdaContext } from './handler';
export { defaultServices } from '../runtime/services';
export type { Clock, Services } from '../../operations/context/services';

export const handler = createHandler(defaultServices());
