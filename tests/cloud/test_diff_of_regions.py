"""Two environments in two regions differ by nothing that only the regions make."""

from __future__ import annotations

from pipelines.deployment.differing import _neutral


def test_images_of_aws_are_the_same_in_every_region() -> None:
    scikit = "{}.dkr.ecr.{}.amazonaws.com/sagemaker-scikit-learn:1.4-2-py312-cpu-py3"
    first = _neutral(scikit.format("683313688378", "us-east-1"), {"us-east-1": "{{ region }}"})
    second = _neutral(scikit.format("141502667606", "eu-west-1"), {"eu-west-1": "{{ region }}"})
    assert first == second
    own = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1"
    assert _neutral(own, {}) == own
