"""Retries a function that died during an event of CloudFormation, as Lambda does. ministack 1.5.33 calls it once.

Follows the EventInvokeConfig of the function, and sends the same event. AWS waits one minute before the second attempt and two before the third. This
waits one second before each.
"""
import contextvars
import time

from ministack.services import lambda_svc
from ministack.services.cloudformation import custom_resource

EXECUTE, INVOKE = lambda_svc._execute_function_with_config_scope, custom_resource.invoke_custom_resource
SECONDS = 1
# Whether CloudFormation makes the call. The framework calls through Lambda's API, which returns an error at once and does not retry.
IS_CLOUDFORMATION = contextvars.ContextVar("is_cloudformation", default=False)


def settings(function):
    configs = function.get("event_invoke_configs") or {}
    found = function.get("event_invoke_config") or configs.get("$LATEST") or {}
    return int(found.get("MaximumRetryAttempts", 2)), int(found.get("MaximumEventAgeInSeconds", 21600))


def execute(function, event):
    result = EXECUTE(function, event)
    if not IS_CLOUDFORMATION.get():
        return result
    attempts, age = settings(function)
    end = time.monotonic() + age
    while result.get("error") and attempts > 0 and time.monotonic() + SECONDS < end:
        attempts -= 1
        time.sleep(SECONDS)
        result = EXECUTE(function, event)
    return result


def invoke_custom_resource(*args, **kwargs):
    token = IS_CLOUDFORMATION.set(True)
    try:
        return INVOKE(*args, **kwargs)
    finally:
        IS_CLOUDFORMATION.reset(token)


lambda_svc._execute_function_with_config_scope = execute
custom_resource.invoke_custom_resource = invoke_custom_resource
