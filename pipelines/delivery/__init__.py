"""Deploys from git: check, choose what a change affects, lint, plan, carry out, tell.

- ``choice``: the definitions that a deploy is about.
- ``deliver``: the way from definitions to what is deployed.
- ``turns``: two deploys at once.
- ``summary``: what came of it, as Markdown.
"""

from pipelines.delivery.choice import Choice, Chosen
from pipelines.delivery.deliver import Delivery, Order, deliver
from pipelines.delivery.summary import render_summary

__all__ = ["Choice", "Chosen", "Delivery", "Order", "deliver", "render_summary"]
