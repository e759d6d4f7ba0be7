"""Lists resources in progress, and adds properties to events, as CloudFormation does. ministack 1.5.33 lists only finished resources.

The function checks whether an event is still current. It needs the status of a resource in progress, and the properties of its last event.
"""
import json
import re

from ministack.services.cloudformation import handlers, stacks
from ministack.services.cloudformation.custom_resource import _normalise_resource_properties as as_texts

ADD_EVENT = stacks._add_event
PROVISION, UPDATE, DELETE = stacks._provision_resource, stacks._update_resource, stacks._delete_resource
# Actions of the API, by name.
ACTIONS = handlers._ACTION_HANDLERS
EVENTS, RESOURCES = ACTIONS["DescribeStackEvents"], ACTIONS["DescribeStackResources"]


def events_of(stack_id):
    from ministack.services.cloudformation import _stack_events
    return _stack_events.get(stack_id, [])


def stack_named(name):
    from ministack.services.cloudformation import _stacks
    return _stacks.get(name) or {}


def last_event(stack_id, logical_id):
    return next((event for event in reversed(events_of(stack_id)) if event["LogicalResourceId"] == logical_id), None)


def add_event(stack_id, stack_name, logical_id, resource_type, status, *args, **kwargs):
    before = last_event(stack_id, logical_id)
    # On AWS, a resource that an update adds has CREATE events.
    if before is not None and before["ResourceStatus"] == "CREATE_IN_PROGRESS":
        status = status.replace("UPDATE_", "CREATE_")
    ADD_EVENT(stack_id, stack_name, logical_id, resource_type, status, *args, **kwargs)
    if before is not None and not status.endswith("_IN_PROGRESS"):
        added = last_event(stack_id, logical_id)
        added["ResourceProperties"] = before.get("ResourceProperties", "")
        added["PhysicalResourceId"] = added["PhysicalResourceId"] or before["PhysicalResourceId"]


def begun(stack_name, logical_id, props, physical_id="", status=None):
    """Completes the event that was added just before, when the work on a resource began."""
    event = last_event(stack_named(stack_name).get("StackId"), logical_id)
    if event is not None and event["ResourceStatus"].endswith("_IN_PROGRESS"):
        event["ResourceProperties"] = json.dumps(as_texts(props))
        event["PhysicalResourceId"] = physical_id
        event["ResourceStatus"] = status or event["ResourceStatus"]


def provision(resource_type, logical_id, props, stack_name):
    begun(stack_name, logical_id, props, status="CREATE_IN_PROGRESS")
    return PROVISION(resource_type, logical_id, props, stack_name)


def update(resource_type, physical_id, old_props, new_props, stack_name, logical_id=None, old_attrs=None):
    begun(stack_name, logical_id, new_props, physical_id)
    return UPDATE(resource_type, physical_id, old_props, new_props, stack_name, logical_id, old_attrs)


def delete(resource_type, physical_id, props, stack_name=None, logical_id=None):
    stack_id = stack_named(stack_name).get("StackId")
    event = last_event(stack_id, logical_id)
    # On AWS, a resource that an update removes or replaces has events with the old physical id.
    is_silent = event is None or event["ResourceStatus"] != "DELETE_IN_PROGRESS"
    if is_silent:
        add_event(stack_id, stack_name, logical_id, resource_type, "DELETE_IN_PROGRESS", "", physical_id)
    begun(stack_name, logical_id, props, physical_id)
    DELETE(resource_type, physical_id, props, stack_name, logical_id)
    if is_silent:
        add_event(stack_id, stack_name, logical_id, resource_type, "DELETE_COMPLETE", "", physical_id)


stacks._add_event = add_event
stacks._provision_resource, stacks._update_resource, stacks._delete_resource = provision, update, delete


def current_resources(stack):
    """Returns the resources of a stack, with those in progress and those that failed."""
    resources = {logical_id: dict(record) for logical_id, record in stack.get("_resources", {}).items()}
    last = {event["LogicalResourceId"]: event for event in events_of(stack["StackId"]) if event["ResourceType"] != "AWS::CloudFormation::Stack"}
    for logical_id, event in last.items():
        record = resources.get(logical_id)
        status = event["ResourceStatus"]
        if record is None:
            # CloudFormation no longer lists a resource that an update removed. Of a deleted or failed stack, it lists all resources.
            if status == "DELETE_COMPLETE" and "UPDATE" in stack["StackStatus"]:
                continue
            resources[logical_id] = {**{name: event[name] for name in ("PhysicalResourceId", "ResourceType", "Timestamp")}, "ResourceStatus": status}
            continue
        # A replaced resource is complete with its new physical id while the old resource is deleted.
        is_of_another = status.startswith("DELETE_") and record["PhysicalResourceId"] != event["PhysicalResourceId"]
        if not is_of_another and (status == "CREATE_COMPLETE" or not status.endswith("_COMPLETE")):
            record.update({"ResourceStatus": status, "Timestamp": event["Timestamp"]})
    return resources


def describe_stack_events(params):
    status, headers, body = EVENTS(params)
    stack = handlers._resolve_stack(handlers._p(params, "StackName"))
    known = {event["EventId"]: event.get("ResourceProperties", "") for event in events_of((stack or {}).get("StackId"))}

    def with_properties(found):
        properties = known.get(found.group(1), "")
        return found.group(0) + (f"<ResourceProperties>{handlers._esc(properties)}</ResourceProperties>" if properties else "")

    return status, headers, changed(body, r"<EventId>([^<]*)</EventId>", with_properties)


def describe_stack_resources(params):
    resolve = handlers._resolve_stack

    def resolve_as_told(name):
        stack = resolve(name)
        return stack and {**stack, "_resources": current_resources(stack)}

    # Safe, because no other request runs until this one is answered.
    handlers._resolve_stack = resolve_as_told
    try:
        status, headers, body = RESOURCES(params)
    finally:
        handlers._resolve_stack = resolve
    return status, headers, changed(body, r"<PhysicalResourceId></PhysicalResourceId>", lambda _: "")


def changed(body, pattern, replacement):
    text = re.sub(pattern, replacement, body.decode() if isinstance(body, bytes) else body)
    return text.encode() if isinstance(body, bytes) else text


ACTIONS["DescribeStackEvents"], ACTIONS["DescribeStackResources"] = describe_stack_events, describe_stack_resources
