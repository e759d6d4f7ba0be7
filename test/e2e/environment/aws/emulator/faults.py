"""Injects the faults that the proxy cannot: errors of CloudFormation's own calls, and a shorter function timeout."""
import json
from pathlib import Path

from ministack.core import lambda_runtime
from ministack.services.cloudformation import provisioners

# In the working directory. emulator.ts writes it.
FAULTS = Path("emulator-faults.json")


def faults():
    return json.loads(FAULTS.read_text()) if FAULTS.exists() else {}


def failing(act):
    """Returns a handler that fails once if the fault is set, and otherwise creates or updates the distribution."""
    def act_or_fail(*args, **kwargs):
        wanted = faults()
        message = wanted.pop("distribution", None)
        if message is not None:
            FAULTS.write_text(json.dumps(wanted))
            raise RuntimeError(message)
        return act(*args, **kwargs)
    return act_or_fail


DISTRIBUTION = provisioners._RESOURCE_HANDLERS["AWS::CloudFront::Distribution"]
for action in ("create", "update"):
    DISTRIBUTION[action] = failing(DISTRIBUTION[action])


def invoke(self, *args, **kwargs):
    seconds = faults().get("functionSeconds")
    config = self.config
    if seconds is not None and "CdkMtaStsHandlerFunction" in self.func_name:
        self.config = {**config, "Timeout": seconds}
    try:
        return INVOKE(self, *args, **kwargs)
    finally:
        self.config = config


INVOKE = lambda_runtime.Worker.invoke
lambda_runtime.Worker.invoke = invoke
