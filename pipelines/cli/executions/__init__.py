"""Commands for executions on AWS, and what they print.

``target`` finds out which execution a word means, ``lines`` and ``live`` draw one, ``following``
waits for it; every command is a module of its own.
"""
