"""What AWS has: reading it, comparing it with what was compiled, and changing it.

- ``client``: the only door to boto3. Everything else in this room calls through :class:`Clients`.
- ``refusals``: what AWS's and botocore's errors mean, as this tool's own.
- ``redaction``: keeps secrets out of every message.

This room knows definition JSON and assets. It knows neither YAML nor the SDK: what a difference is
called in the definition's own words comes in as a lookup (``SourceLookup``).
"""
