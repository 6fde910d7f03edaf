"""The local runner: interprets pipeline-definition JSON on this machine, without AWS or Docker.

``execute`` runs a definition; ``store`` keeps what ran; ``handlers`` holds one file for each API
type of step; ``jobs`` and ``isolation`` run the work of containers as processes.
"""
