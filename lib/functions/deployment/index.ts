// The entry point of the Lambda function behind the three custom resources.
import { createHandler } from './handler';
import { defaultServices } from '../../operations/context/services';

export { createHandler } from './handler';
export type { Handler, HandlerAnswer, LambdaContext } from './handler';
export { defaultServices as defaultWorld } from '../../operations/context/services';
export type { Clock, Services as World } from '../../operations/context/services';

export const handler = createHandler(defaultServices());
