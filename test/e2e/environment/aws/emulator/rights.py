"""Adds what the emulator lacks to enforce rights with `AUTH`, and logs each right that it checks."""
import contextvars
import json
import os

from defusedxml.ElementTree import fromstring
from ministack import app as ministack
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import cloudfront, iam

# Calls to AWS use https. The emulator has only http, so count each call as https: otherwise each policy that demands `aws:SecureTransport` would deny it.
# A call with the header `x-forwarded-proto: http` still counts as http.
INNER = ministack.app
FORWARDED = b"x-forwarded-proto"
# Host of the request, which identifies calls through the proxy of the functions.
HOST = contextvars.ContextVar("host", default="")
# Whether an edge of the test environment made the call, by its header.
EDGE = contextvars.ContextVar("edge", default=False)
CLOUDFRONT = "cloudfront.amazonaws.com"


async def over_https(scope, receive, send):
    headers = {name.lower(): value for name, value in scope.get("headers", [])}
    HOST.set(headers.get(b"host", b"").decode("latin-1"))
    EDGE.set(headers.get(b"x-stage-service") == CLOUDFRONT.encode())
    if scope["type"] == "http" and FORWARDED not in headers:
        scope = {**scope, "headers": [*scope["headers"], (FORWARDED, b"https")]}
    await INNER(scope, receive, send)


ministack.app = over_https


# Logs each checked right with its caller and the answer, one JSON object in each line. Calls of the administrator are not logged.
ENFORCE = iam_evaluator.enforce
LOG = open(os.environ["RIGHTS_LOG"], "a", buffering=1)


def enforce(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
    denied = ENFORCE(access_key_id, iam_action, service, region, resource_arn, service_context)
    if denied is None and EDGE.get():
        return enforce_for_cloudfront(iam_action, region, resource_arn)
    if access_key_id != ADMINISTRATOR["AccessKeyId"]:
        caller = iam_evaluator.resolve_caller_identity(access_key_id)
        LOG.write(json.dumps({
            "host": HOST.get(),
            # The emulator treats a caller without a key as the root user. Log no principal for it.
            "principal": caller["userArn"] if caller and access_key_id else "",
            "action": iam_action,
            "resource": resource_arn,
            "denied": "" if denied is None else denied.code if isinstance(denied, iam_evaluator.AuthError) else denied.decision,
        }) + "\n")
    return denied


def enforce_for_cloudfront(iam_action, region, resource_arn):
    """Checks a call of an edge. Edges sign as the administrator, but have only the rights that the bucket policy grants to CloudFront."""
    policy, _ = iam_evaluator._resource_policy("s3", resource_arn) or ("", "")
    for distribution in distributions_of(resource_arn.removeprefix("arn:aws:s3:::").split("/", 1)[0]):
        context = iam_evaluator.EvalContext(
            principal_arn=CLOUDFRONT, principal_type="Service", principal_account="", action=iam_action, resource_arn=resource_arn,
            region=region, service_context={"aws:sourcearn": distribution},
        )
        if iam_evaluator.evaluate_resource_policy(policy, context, service=CLOUDFRONT).decision == "Allow":
            return None
    return iam_evaluator.EvalResult("ImplicitDeny", CLOUDFRONT)


def distributions_of(bucket):
    """Yields the distributions that read from the bucket with signed requests."""
    for distribution in cloudfront._distributions.values():
        for element in fromstring(distribution["config_xml"]).findall(".//{*}Origin"):
            origin = cloudfront._dataplane_origin(element)
            if origin["s3_bucket"] == bucket and origin["oac_id"] in cloudfront._oacs:
                yield distribution["ARN"]


iam_evaluator.enforce = enforce


# The user who deploys and reads. The emulator has a root user, but does not check its signature, and on AWS a root user cannot assume
# roles.
ADMINISTRATOR = {
    "UserName": "administrator",
    "AccessKeyId": os.environ["ADMINISTRATOR_ACCESS_KEY_ID"],
    "SecretAccessKey": os.environ["ADMINISTRATOR_SECRET_ACCESS_KEY"],
    "Status": "Active",
    "CreateDate": "2026-01-01T00:00:00Z",
}


def create_administrator():
    name = ADMINISTRATOR["UserName"]
    created = {"CreateDate": ADMINISTRATOR["CreateDate"], "Path": "/", "PermissionsBoundary": "", "AttachedPolicies": [], "Tags": []}
    iam._users[name] = {"UserName": name, "UserId": "AIDAADMINISTRATOR000", "Arn": f"arn:aws:iam::{get_account_id()}:user/{name}", **created}
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam._user_inline_policies[name] = {"Everything": json.dumps(everything)}
    iam._access_keys[ADMINISTRATOR["AccessKeyId"]] = ADMINISTRATOR
