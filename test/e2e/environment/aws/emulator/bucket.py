"""Refuses to delete a bucket with objects, old versions or delete markers, as AWS does. ministack 1.5.33 deletes the bucket with its content."""
from ministack.services import s3
from ministack.services.cloudformation import provisioners

BUCKET = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
DELETE = BUCKET["delete"]


def delete(physical_id, props):
    objects = s3._buckets.get(physical_id, {}).get("objects", {})
    if objects:
        raise RuntimeError(f"The bucket you tried to delete is not empty: {', '.join(sorted(objects))}")
    if s3._bucket_has_versions(physical_id):
        raise RuntimeError("The bucket you tried to delete is not empty. You must delete all versions in the bucket.")
    return DELETE(physical_id, props)


BUCKET["delete"] = delete
