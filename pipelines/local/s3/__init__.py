"""Amazon S3 for jobs: the objects of the local store behind S3's own HTTP API, on loopback.

A job's scripts call boto3 (or s3fs, or the AWS command line) as they do in the cloud; variables
that their SDK reads lead the calls here. Source of the protocol: Amazon S3 API Reference.
"""

from __future__ import annotations

from pipelines.local.s3.endpoint import LocalS3

__all__ = ["LocalS3"]
