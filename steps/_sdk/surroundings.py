"""Where the SDK may be imported and called: away from the network and the user's settings.

Importing the SDK is not offline by itself: it builds clients while it is imported, reads the user's
AWS profile and SDK configuration, and asks the metadata service for credentials.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

_LOCK = threading.RLock()


@contextlib.contextmanager
def offline(region: str) -> Iterator[None]:
    """Keep the SDK from the network, the user's credentials and the user's configuration.

    Args:
        region: the region that compiling is for.

    The process's environment is changed inside and put back at the end; one thread at a time.
    """
    with _LOCK, tempfile.TemporaryDirectory(prefix="sagedag-") as folder:
        empty = Path(folder) / "empty.yaml"
        empty.write_text("")
        defaults = Path(folder) / "defaults.yaml"
        # The SDK's own switch for its telemetry (its configuration schema, `TelemetryOptOut`).
        defaults.write_text(
            "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n"
            "      TelemetryOptOut: true\n"
        )
        wanted: dict[str, str | None] = {
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
            "AWS_ACCESS_KEY_ID": "offline",
            "AWS_SECRET_ACCESS_KEY": "offline",
            "AWS_SESSION_TOKEN": None,
            "AWS_PROFILE": None,
            "AWS_DEFAULT_PROFILE": None,
            "AWS_CONFIG_FILE": str(empty),
            "AWS_SHARED_CREDENTIALS_FILE": str(empty),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": None,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": None,
            "AWS_WEB_IDENTITY_TOKEN_FILE": None,
            "AWS_ENDPOINT_URL": None,
            "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(defaults),
            "SAGEMAKER_USER_CONFIG_OVERRIDE": str(defaults),
            # SDK 2 advertises SDK 3 with warnings (`sagemaker.deprecations`).
            "SAGEMAKER_SUPPRESS_V2_WARNING": "true",
        }
        before = {name: os.environ.get(name) for name in wanted}
        loggers = [logging.getLogger(name) for name in ("sagemaker", "sagemaker.config")]
        levels = [logger.level for logger in loggers]
        for logger in loggers:
            # At INFO the SDK tells where it looked for configuration, once per import.
            logger.setLevel(logging.ERROR)
        try:
            _set(wanted)
            yield
        finally:
            _set(before)
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
