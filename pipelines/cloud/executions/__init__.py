"""Executions on AWS: starting, watching, reading and comparing them.

- ``records``: an execution and its steps as frozen data; ``jobs``: what a step ran, where it logs.
- ``reading``: one execution, many, and which one a name means.
- ``starting``: a start checked against the deployed definition; stops and retries.
- ``watching``: following one until it is over; ``logs``: what its jobs printed.
- ``pipeline``: a deployed pipeline with what belongs to it; ``removing``: deleting all that.
- ``comparing``: two executions.
"""
