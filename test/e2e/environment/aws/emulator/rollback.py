"""Lets a rollback evaluate `Fn::GetAtt` again. ministack 1.5.33 restores the previous values. AWS does not document what CloudFormation does.

If enabled (emulator.ts), a resource that uses an attribute of a rolled-back resource gets the attribute that was returned in the rollback, even if
the update had not reached it. Outputs do too. If not enabled, nothing changes.
"""
import contextvars
import copy
from pathlib import Path

from ministack.services.cloudformation import stacks

# In the working directory. emulator.ts creates it.
WANTED = Path("reevaluate-in-rollbacks")

REVERT, ROLL_BACK = stacks._revert_update, stacks._roll_back_operation
OPERATION = contextvars.ContextVar("operation", default=None)


def evaluated(stack_name, stack_id, logical_id):
    """Returns the current properties of a resource, by the restored template."""
    before = OPERATION.get()["previous_stack"]
    template = before["_template"]
    properties = copy.deepcopy(template["Resources"][logical_id].get("Properties", {}))
    resolved = stacks._resolve_refs(
        properties, before["_resources"], before.get("_resolved_params", {}), before.get("_conditions", {}), template.get("Mappings", {}), stack_name, stack_id)
    return {name: value for name, value in resolved.items() if value is not stacks._NO_VALUE}


async def revert(stack_id, stack_name, logical_id, rtype, physical_id, applied_props, previous_props, attrs, record=None):
    operation = OPERATION.get()
    if operation is None or record is None:
        return await REVERT(stack_id, stack_name, logical_id, rtype, physical_id, applied_props, previous_props, attrs, record)
    record["Properties"] = previous_props = evaluated(stack_name, stack_id, logical_id)
    await REVERT(stack_id, stack_name, logical_id, rtype, physical_id, applied_props, previous_props, attrs, record)
    # Skip the resources that the update had reached: they are reverted in their own turn.
    touched = {*operation["created"], operation["failed_logical_id"]}
    for dependent, known in operation["previous_stack"]["_resources"].items():
        properties = evaluated(stack_name, stack_id, dependent)
        if dependent not in touched and properties != known["Properties"]:
            before, known["Properties"] = known["Properties"], properties
            await REVERT(stack_id, stack_name, dependent, known["ResourceType"], known["PhysicalResourceId"], before, properties, known["Attributes"], known)


async def roll_back(stack_name, stack_id, stack, operation, *args):
    if not WANTED.exists() or not operation.get("is_update") or not operation.get("previous_stack"):
        return await ROLL_BACK(stack_name, stack_id, stack, operation, *args)
    token = OPERATION.set(operation)
    try:
        await ROLL_BACK(stack_name, stack_id, stack, operation, *args)
    finally:
        OPERATION.reset(token)
    before = operation["previous_stack"]
    template = before["_template"]
    stack["Outputs"], _ = stacks._resolve_stack_outputs(
        template.get("Outputs", {}), before.get("_conditions", {}), before["_resources"], before.get("_resolved_params", {}), template.get("Mappings", {}),
        stack_name, stack_id)


stacks._revert_update, stacks._roll_back_operation = revert, roll_back
