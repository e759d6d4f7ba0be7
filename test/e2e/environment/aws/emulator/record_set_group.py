"""Adds AWS::Route53::RecordSetGroup, which ministack 1.5.33 does not have. Creates its record sets one by one."""
from ministack.services.cloudformation import provisioners

HANDLERS = provisioners._RESOURCE_HANDLERS
RECORD_SET = dict(HANDLERS["AWS::Route53::RecordSet"])


def members(props):
    """Returns the properties of each record set of a group. The group names the zone for all of them."""
    zone = {name: props[name] for name in ("HostedZoneId", "HostedZoneName") if props.get(name)}
    return [{**record_set, **zone} for record_set in props.get("RecordSets") or []]


def key(props):
    record_set = provisioners._r53_record_set_build_rs(props)
    return (provisioners._r53_resolve_hosted_zone_id(props), record_set["Name"], record_set["Type"], record_set.get("SetIdentifier"))


def group_create(logical_id, props, stack_name):
    made = []
    try:
        for record_set in members(props):
            RECORD_SET["create"](logical_id, record_set, stack_name)
            made.append(record_set)
    except Exception:
        # On AWS, a group is one change batch, which is applied completely or not at all.
        for record_set in made:
            RECORD_SET["delete"](logical_id, record_set)
        raise
    return provisioners._physical_name(stack_name, logical_id), {}


def group_update(physical_id, old_props, new_props, stack_name):
    old = {key(record_set): record_set for record_set in members(old_props)}
    new = {key(record_set): record_set for record_set in members(new_props)}
    for at, record_set in old.items():
        if at not in new:
            RECORD_SET["delete"](physical_id, record_set)
    for at, record_set in new.items():
        if at in old:
            RECORD_SET["update"](physical_id, old[at], record_set, stack_name)
        else:
            RECORD_SET["create"](physical_id, record_set, stack_name)
    return physical_id, {}


def group_delete(physical_id, props):
    for record_set in members(props):
        RECORD_SET["delete"](physical_id, record_set)


HANDLERS.setdefault("AWS::Route53::RecordSetGroup", {"create": group_create, "update": group_update, "delete": group_delete})
