"""Lambda calls a function again that has died under an event of CloudFormation's; ministack 1.5.33 calls it once.

By the EventInvokeConfig of the function, with the same event; AWS waits a minute before the second attempt and two before the third, this a second each.
"""
import time

from ministack.services import lambda_svc

EXECUTE = lambda_svc._execute_function_with_config_scope
SECONDS = 1


def settings(function):
    configs = function.get("event_invoke_configs") or {}
    found = function.get("event_invoke_config") or configs.get("$LATEST") or {}
    return int(found.get("MaximumRetryAttempts", 2)), int(found.get("MaximumEventAgeInSeconds", 21600))


def execute(function, event):
    result = EXECUTE(function, event)
    # CloudFormation's own; the framework passes an event on without it.
    if not str(event.get("ResponseURL", "")).startswith("http"):
        return result
    attempts, age = settings(function)
    end = time.monotonic() + age
    while result.get("error") and attempts > 0 and time.monotonic() + SECONDS < end:
        attempts -= 1
        time.sleep(SECONDS)
        result = EXECUTE(function, event)
    return result


lambda_svc._execute_function_with_config_scope = execute
