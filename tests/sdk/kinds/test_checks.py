"""Check steps equal those of the SDK's classes, with the files that the SDK uploads.

What may differ is in DIFFERENCES and :func:`without_keys`, each with its reason.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from side_by_side import ENVIRONMENTS, by_name, differences, theirs
from surroundings import BUCKET, ROLE

import pipelines

pytestmark = pytest.mark.slow  # for importing the SDK
Json = dict[str, Any]

DEFINITION = """
pipeline: kinds
parameters: {Data: s3://survey/train.csv, First: false, Model: pulsar-7, Group: pulsars}
steps:
  data-quality:
    type: QualityCheck
    display_name: Data
    description: Columns
    check: data_quality
    instance: {type: ml.m5.xlarge, count: 2, volume_gb: 50, kms_key: alias/volumes}
    dataset: {source: "${parameters.Data}", header: false, output_columns: end}
    preprocessor: pre.py
    postprocessor: post.py
    output: s3://survey/data-quality
    environment: {LEVEL: info}
    kms_key: alias/outputs
    tags: {team: astro}
    max_runtime: 1h
    group: "${parameters.Group}"
    skip_check: "${parameters.First}"
    register_new_baseline: "${parameters.First}"
    baseline: {statistics: s3://survey/s.json, constraints: s3://survey/c.json}
    cache: 7d
  model-quality:
    type: QualityCheck
    depends_on: [data-quality]
    check: model_quality
    instance: ml.m5.xlarge
    dataset: {source: s3://survey/scored.json, format: json}
    problem_type: BinaryClassification
    inference_attribute: "${steps.data-quality.calculated.constraints}"
    probability_attribute: 1
    ground_truth_attribute: label
    probability_threshold_attribute: 0.5
    output: s3://survey/model-quality
    max_runtime: 1d
    fail_on_violation: false
  data-bias:
    type: ClarifyCheck
    check: data_bias
    instance: ml.m5.xlarge
    dataset: s3://survey/train.csv
    output: s3://survey/data-bias
    config: {headers: [mean, telescope, pulsar], label: pulsar, label_values_or_threshold: [1],
             facet: [{name_or_index: telescope, value_or_threshold: [2]}], group_variable: mean}
    max_runtime: 1d
    group: "${parameters.Group}"
  model-bias:
    type: ClarifyCheck
    check: model_bias
    instance: ml.m5.xlarge
    dataset: {source: "${parameters.Data}", format: jsonlines}
    model: "${parameters.Model}"
    output: s3://survey/model-bias
    config:
      label: pulsar
      headers: [mean, telescope, pulsar]
      features: features
      label_values_or_threshold: [1]
      facet: [{name_or_index: telescope}]
      probability_threshold: 0.8
      methods: {post_training_bias: {methods: [DPPL, DI]}}
      predictor: {instance_type: ml.m5.large, initial_instance_count: 1, probability: 0}
    max_runtime: 1d
    cache: 7d
    baseline: {constraints: s3://survey/c.json}
  explain:
    type: ClarifyCheck
    check: model_explainability
    instance: ml.m5.xlarge
    dataset: s3://survey/train.csv
    model: "${parameters.Model}"
    output: s3://survey/explain
    config:
      label: pulsar
      headers: [mean, telescope, pulsar]
      methods: {shap: {baseline: [[1, 2]], num_samples: 100, agg_method: mean_abs,
                       use_logit: false, save_local_shap_values: true}}
      predictor: {instance_type: ml.m5.large, initial_instance_count: 1, accept_type: text/csv,
                  label: 0}
    max_runtime: 1d
    skip_check: true
    register_new_baseline: true
  before:
    type: MonitorBatchTransform
    display_name: Before
    description: Both
    monitor_first: true
    transform: {model: "${parameters.Model}", instance: ml.m5.large, input: s3://survey/all,
                output: s3://survey/before}
    monitor:
      check: data_quality
      instance: ml.m5.xlarge
      dataset: s3://survey/all
      output: s3://survey/before-check
      max_runtime: 1d
      baseline: {statistics: s3://survey/s.json, constraints: s3://survey/c.json}
  after:
    type: MonitorBatchTransform
    transform: {model: "${parameters.Model}", instance: ml.m5.large, input: s3://survey/all,
                output: s3://survey/after}
    monitor:
      check: data_bias
      instance: ml.m5.xlarge
      dataset: s3://survey/all
      output: s3://survey/after-check
      config: {headers: [mean, telescope, pulsar], label: pulsar, label_values_or_threshold: [1],
               facet: [{name_or_index: telescope}]}
      max_runtime: 1d
      fail_on_violation: false
  register:
    type: RegisterModel
    group: "${parameters.Group}"
    model: s3://survey/model.tar.gz
    image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/team/serve:1
    checks: [data-quality, model-quality, data-bias, model-bias, explain]
  configs:
    type: Fail
    message: "${steps.data-bias.config} ${steps.model-bias.config} ${steps.explain.config}"
"""
MONITORED = ("data-bias", "model-bias", "explain")


class Built:
    """The SDK's steps, and the files that it uploaded while it compiled."""

    def __init__(self, endpoint_url: str, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, bytes] = {}
        self.configs: dict[str, Any] = {}
        self.reports: Json = {}
        self.steps = theirs(endpoint_url, self.build)

    def build(self, session: Any) -> tuple[list[Any], list[Any]]:
        from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterString

        parameters = {
            "Data": ParameterString(name="Data", default_value="s3://survey/train.csv"),
            "First": ParameterBoolean(name="First", default_value=False),
            "Model": ParameterString(name="Model", default_value="pulsar-7"),
            "Group": ParameterString(name="Group", default_value="pulsars"),
        }
        first = _data_quality(session, parameters, self.folder)
        checks = [first, _model_quality(session, first), *_clarify(session, parameters)]
        steps = [*checks, *_transforms(session, parameters)]
        s3 = session.boto_session.client("s3")
        listed = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        for entry in listed:
            body = s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"]
            self.files[f"s3://{BUCKET}/{entry['Key']}"] = body.read()
        for step in checks[2:]:
            place = step.clarify_check_config.monitoring_analysis_config_uri
            self.configs[step.name] = json.loads(self.files[place])
        self.reports = _reports(checks)
        return list(parameters.values()), steps


def _job(session: Any, **more: Any) -> Any:
    from sagemaker.mlops.workflow.check_job_config import CheckJobConfig

    return CheckJobConfig(role=ROLE, sagemaker_session=session, **more)


def _data_quality(session: Any, parameters: Json, folder: Path) -> Any:
    from sagemaker.core.model_monitor.dataset_format import DatasetFormat
    from sagemaker.mlops.workflow.quality_check_step import (
        DataQualityCheckConfig,
        QualityCheckStep,
    )
    from sagemaker.mlops.workflow.steps import CacheConfig

    return QualityCheckStep(
        name="data-quality",
        display_name="Data",
        description="Columns",
        quality_check_config=DataQualityCheckConfig(
            baseline_dataset=parameters["Data"],
            dataset_format=DatasetFormat.csv(header=False, output_columns_position="END"),
            output_s3_uri="s3://survey/data-quality",
            record_preprocessor_script=str(folder / "pre.py"),
            post_analytics_processor_script=str(folder / "post.py"),
        ),
        check_job_config=_job(
            session,
            instance_count=2,
            volume_size_in_gb=50,
            volume_kms_key="alias/volumes",
            output_kms_key="alias/outputs",
            max_runtime_in_seconds=3600,
            env={"LEVEL": "info"},
            tags=[{"Key": "team", "Value": "astro"}],
        ),
        skip_check=parameters["First"],
        register_new_baseline=parameters["First"],
        model_package_group_name=parameters["Group"],
        supplied_baseline_statistics="s3://survey/s.json",
        supplied_baseline_constraints="s3://survey/c.json",
        cache_config=CacheConfig(enable_caching=True, expire_after="7d"),
    )


def _model_quality(session: Any, first: Any) -> Any:
    from sagemaker.core.model_monitor.dataset_format import DatasetFormat
    from sagemaker.mlops.workflow.quality_check_step import (
        ModelQualityCheckConfig,
        QualityCheckStep,
    )

    return QualityCheckStep(
        name="model-quality",
        quality_check_config=ModelQualityCheckConfig(
            baseline_dataset="s3://survey/scored.json",
            dataset_format=DatasetFormat.json(lines=True),
            output_s3_uri="s3://survey/model-quality",
            problem_type="BinaryClassification",
            inference_attribute=first.properties.CalculatedBaselineConstraints,
            probability_attribute=1,
            ground_truth_attribute="label",
            probability_threshold_attribute=0.5,
        ),
        check_job_config=_job(session),
        fail_on_violation=False,
        depends_on=["data-quality"],
    )


def _clarify(session: Any, parameters: Json) -> list[Any]:
    from sagemaker.core.clarify import (
        BiasConfig,
        DataConfig,
        ModelConfig,
        ModelPredictedLabelConfig,
        SHAPConfig,
    )
    from sagemaker.mlops.workflow.clarify_check_step import (
        ClarifyCheckStep,
        DataBiasCheckConfig,
        ModelBiasCheckConfig,
        ModelExplainabilityCheckConfig,
    )
    from sagemaker.mlops.workflow.steps import CacheConfig

    def data(source: Any, name: str, **more: Any) -> Any:
        return DataConfig(
            s3_data_input_path=source,
            s3_output_path=f"s3://survey/{name}",
            s3_analysis_config_output_path=f"s3://{BUCKET}/{name}",
            label="pulsar",
            headers=["mean", "telescope", "pulsar"],
            **more,
        )

    bias = ClarifyCheckStep(
        name="data-bias",
        clarify_check_config=DataBiasCheckConfig(
            data_config=data("s3://survey/train.csv", "data-bias"),
            data_bias_config=BiasConfig([1], "telescope", [2], "mean"),
        ),
        check_job_config=_job(session),
        model_package_group_name=parameters["Group"],
    )
    model_bias = ClarifyCheckStep(
        name="model-bias",
        clarify_check_config=ModelBiasCheckConfig(
            data_config=data(
                parameters["Data"],
                "model-bias",
                features="features",
                dataset_type="application/jsonlines",
            ),
            data_bias_config=BiasConfig([1], "telescope"),
            model_config=ModelConfig(parameters["Model"], 1, "ml.m5.large"),
            model_predicted_label_config=ModelPredictedLabelConfig(
                probability=0, probability_threshold=0.8
            ),
            methods=["DPPL", "DI"],
        ),
        check_job_config=_job(session),
        supplied_baseline_constraints="s3://survey/c.json",
        cache_config=CacheConfig(enable_caching=True, expire_after="7d"),
    )
    explain = ClarifyCheckStep(
        name="explain",
        clarify_check_config=ModelExplainabilityCheckConfig(
            data_config=data("s3://survey/train.csv", "explain"),
            model_config=ModelConfig(parameters["Model"], 1, "ml.m5.large", accept_type="text/csv"),
            explainability_config=SHAPConfig(
                baseline=[[1, 2]], num_samples=100, agg_method="mean_abs"
            ),
            model_scores=0,
        ),
        check_job_config=_job(session),
        skip_check=True,
        register_new_baseline=True,
    )
    return [bias, model_bias, explain]


def _reports(checks: list[Any]) -> Json:
    """ModelMetrics and DriftCheckBaselines, as the Developer Guide fills them from checks."""
    from sagemaker.core.drift_check_baselines import DriftCheckBaselines
    from sagemaker.core.model_metrics import FileSource, MetricsSource, ModelMetrics

    def source(value: Any) -> Any:
        return MetricsSource(s3_uri=value, content_type="application/json")

    data, model, bias, model_bias, explain = (step.properties for step in checks)
    places = [step.clarify_check_config.monitoring_analysis_config_uri for step in checks[3:]]
    metrics = ModelMetrics(
        model_data_statistics=source(data.CalculatedBaselineStatistics),
        model_data_constraints=source(data.CalculatedBaselineConstraints),
        model_statistics=source(model.CalculatedBaselineStatistics),
        model_constraints=source(model.CalculatedBaselineConstraints),
        bias_pre_training=source(bias.CalculatedBaselineConstraints),
        bias_post_training=source(model_bias.CalculatedBaselineConstraints),
        explainability=source(explain.CalculatedBaselineConstraints),
    )
    baselines = DriftCheckBaselines(
        model_data_statistics=source(data.BaselineUsedForDriftCheckStatistics),
        model_data_constraints=source(data.BaselineUsedForDriftCheckConstraints),
        model_statistics=source(model.BaselineUsedForDriftCheckStatistics),
        model_constraints=source(model.BaselineUsedForDriftCheckConstraints),
        bias_config_file=FileSource(s3_uri=places[0]),
        bias_pre_training_constraints=source(bias.BaselineUsedForDriftCheckConstraints),
        bias_post_training_constraints=source(model_bias.BaselineUsedForDriftCheckConstraints),
        explainability_config_file=FileSource(s3_uri=places[1]),
        explainability_constraints=source(explain.BaselineUsedForDriftCheckConstraints),
    )
    made = {
        "ModelMetrics": metrics._to_request_dict(),
        "DriftCheckBaselines": baselines._to_request_dict(),
    }
    reports: Json = json.loads(json.dumps(made, default=lambda value: value.expr))
    return reports


def _transforms(session: Any, parameters: Json) -> list[Any]:
    from sagemaker.core.clarify import BiasConfig, DataConfig
    from sagemaker.core.model_monitor.dataset_format import DatasetFormat
    from sagemaker.core.transformer import Transformer
    from sagemaker.mlops.workflow.clarify_check_step import DataBiasCheckConfig
    from sagemaker.mlops.workflow.monitor_batch_transform_step import MonitorBatchTransformStep
    from sagemaker.mlops.workflow.quality_check_step import DataQualityCheckConfig

    def transform(name: str) -> Any:
        return Transformer(
            model_name=parameters["Model"],
            instance_count=1,
            instance_type="ml.m5.large",
            output_path=f"s3://survey/{name}",
            sagemaker_session=session,
        ).transform("s3://survey/all")

    quality = DataQualityCheckConfig(
        baseline_dataset="s3://survey/all",
        dataset_format=DatasetFormat.csv(),
        output_s3_uri="s3://survey/before-check",
    )
    bias = DataBiasCheckConfig(
        data_config=DataConfig(
            s3_data_input_path="s3://survey/all",
            s3_output_path="s3://survey/after-check",
            s3_analysis_config_output_path=f"s3://{BUCKET}/after",
            label="pulsar",
            headers=["mean", "telescope", "pulsar"],
        ),
        data_bias_config=BiasConfig([1], "telescope"),
    )
    collections = [
        MonitorBatchTransformStep(
            name="before",
            display_name="Before",
            description="Both",
            transform_step_args=transform("before"),
            monitor_configuration=quality,
            check_job_configuration=_job(session),
            monitor_before_transform=True,
            supplied_baseline_statistics="s3://survey/s.json",
            supplied_baseline_constraints="s3://survey/c.json",
        ),
        MonitorBatchTransformStep(
            name="after",
            transform_step_args=transform("after"),
            monitor_configuration=bias,
            check_job_configuration=_job(session),
            fail_on_violation=False,
        ),
    ]
    # SDK 3's Pipeline refuses collections of steps, and takes the steps in them.
    return [step for collection in collections for step in collection.steps]


# --- What may differ ---


def no_null_members(step: Json) -> None:
    """The SDK writes what is not given beside the arguments as null; ours leaves it out."""
    for name in [name for name, value in step.items() if value is None]:
        del step[name]


def no_transfer_settings(step: Json) -> None:
    """SDK 3 loses distribution and compression of inputs, which SDK 2 writes; ours writes them."""
    for entry in step["Arguments"].get("ProcessingInputs", []):
        assert entry["S3Input"].pop("S3DataDistributionType", "FullyReplicated")
        assert entry["S3Input"].pop("S3CompressionType", "None") == "None"


DIFFERENCES: tuple[Callable[[Json], None], ...] = (no_null_members, no_transfer_settings)


def without(steps: Json, *found: Callable[[Json], None]) -> Json:
    made = copy.deepcopy(steps)
    for step in made.values():
        for difference in found:
            difference(step)
    return made


def with_contents(steps: Json, files: dict[str, bytes]) -> Json:
    """The steps with the files' contents where their keys stand: ours are digests."""
    made = copy.deepcopy(steps)
    for step in made.values():
        for entry in step["Arguments"].get("ProcessingInputs", []):
            place = entry["S3Input"]["S3Uri"]
            if isinstance(place, str) and place.startswith(f"s3://{BUCKET}/"):
                found = [data for uri, data in files.items() if uri.startswith(place)]
                assert len(found) == 1, place
                is_json = place.endswith(".json")
                entry["S3Input"]["S3Uri"] = json.loads(found[0]) if is_json else found[0]
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("checks")
    (made / "environments.yaml").write_text(ENVIRONMENTS.read_text("utf-8"), "utf-8")
    (made / "pipeline.yaml").write_text(DEFINITION, "utf-8")
    for name in ("pre", "post"):
        (made / f"{name}.py").write_text(f"print('{name}')\n", "utf-8")
    return made


@pytest.fixture(scope="module")
def built(aws: str, folder: Path) -> Built:
    return Built(aws, folder)


@pytest.fixture(scope="module")
def compiled(folder: Path) -> pipelines.Compiled:
    return pipelines.compile(folder / "pipeline.yaml", environment="sdk")


@pytest.fixture(scope="module")
def pair(built: Built, compiled: pipelines.Compiled) -> tuple[Json, Json]:
    published = dict(item for asset in compiled.assets for item in asset.objects())
    mine = by_name(compiled.definition)
    del mine["configs"], mine["register"]
    return with_contents(mine, published), with_contents(built.steps, built.files)


def test_the_steps_are_the_same(pair: tuple[Json, Json]) -> None:
    mine, other = (without(each, *DIFFERENCES) for each in pair)
    assert list(differences(mine, other)) == []


def test_the_members_stand_in_the_same_order(pair: tuple[Json, Json]) -> None:
    mine, other = (without(each, no_null_members) for each in pair)
    for name, step in mine.items():
        assert list(step) == list(other[name])


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_each_difference_is_one(
    difference: Callable[[Json], None], pair: tuple[Json, Json]
) -> None:
    others = [other for other in DIFFERENCES if other is not difference]
    assert list(differences(*(without(each, *others) for each in pair)))


def test_the_configuration_for_monitors_is_the_same(
    built: Built, compiled: pipelines.Compiled
) -> None:
    published = dict(item for asset in compiled.assets for item in asset.objects())
    message = by_name(compiled.definition)["configs"]["Arguments"]["ErrorMessage"]
    places = [part for part in message["Std:Join"]["Values"] if part != " "]
    found = {
        name: json.loads(published[place]) for name, place in zip(MONITORED, places, strict=True)
    }
    assert found == built.configs


def test_what_checks_fill_in_is_the_same(built: Built, compiled: pipelines.Compiled) -> None:
    published = dict(item for asset in compiled.assets for item in asset.objects())
    made = by_name(compiled.definition)["register"]["Arguments"]
    mine = {name: made[name] for name in built.reports}
    pair = [(mine, published), (built.reports, built.files)]
    for reports, files in pair:
        for name in ("Bias", "Explainability"):
            file = reports["DriftCheckBaselines"][name]["ConfigFile"]
            file["S3Uri"] = json.loads(files[file["S3Uri"]])
    assert list(differences(mine, built.reports)) == []
