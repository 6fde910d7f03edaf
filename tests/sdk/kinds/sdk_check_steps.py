"""Check steps as a definition, and as both majors of the SDK build them with their own classes."""

from __future__ import annotations

import copy
import importlib
import json
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from side_by_side import ENVIRONMENTS
from surroundings import BUCKET, ROLE

Json = dict[str, Any]
Writer = Callable[[str, Callable[[Any], tuple[list[Any], list[Any]]]], Json]
MAJOR_2 = metadata.version("sagemaker").startswith("2.")

DEFINITION = Path(__file__).with_name("checks.yaml")
MONITORED = ("data-bias", "model-bias", "explain")


class Built:
    """The SDK's steps, and the files that it uploaded while it compiled.

    Args:
        folder: where the scripts lie.
        write: gives what the SDK writes for parameters and steps that are made with its session.
    """

    def __init__(self, endpoint_url: str, folder: Path, write: Writer) -> None:
        self.folder = folder
        self.files: dict[str, bytes] = {}
        self.configs: dict[str, Any] = {}
        self.reports: Json = {}
        self.steps = write(endpoint_url, self.build)

    def build(self, session: Any) -> tuple[list[Any], list[Any]]:
        parameters = {
            "Data": sdk("workflow.parameters").ParameterString(
                name="Data", default_value="s3://survey/train.csv"
            ),
            "First": sdk("workflow.parameters").ParameterBoolean(name="First", default_value=False),
            "Model": sdk("workflow.parameters").ParameterString(
                name="Model", default_value="pulsar-7"
            ),
            "Group": sdk("workflow.parameters").ParameterString(
                name="Group", default_value="pulsars"
            ),
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
    # Where nothing is given, SDK 3 writes the service's own default and SDK 2 nothing.
    settings = {"max_runtime_in_seconds": 86400, **more}
    return sdk("workflow.check_job_config").CheckJobConfig(
        role=ROLE, sagemaker_session=session, **settings
    )


def _data_quality(session: Any, parameters: Json, folder: Path) -> Any:
    return sdk("workflow.quality_check_step").QualityCheckStep(
        name="data-quality",
        display_name="Data",
        description="Columns",
        quality_check_config=sdk("workflow.quality_check_step").DataQualityCheckConfig(
            baseline_dataset=parameters["Data"],
            dataset_format=sdk("model_monitor.dataset_format").DatasetFormat.csv(
                header=False, output_columns_position="END"
            ),
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
        cache_config=sdk("workflow.steps").CacheConfig(enable_caching=True, expire_after="7d"),
    )


def _model_quality(session: Any, first: Any) -> Any:
    return sdk("workflow.quality_check_step").QualityCheckStep(
        name="model-quality",
        quality_check_config=sdk("workflow.quality_check_step").ModelQualityCheckConfig(
            baseline_dataset="s3://survey/scored.json",
            dataset_format=sdk("model_monitor.dataset_format").DatasetFormat.json(lines=True),
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
    def data(source: Any, name: str, **more: Any) -> Any:
        return sdk("clarify").DataConfig(
            s3_data_input_path=source,
            s3_output_path=f"s3://survey/{name}",
            s3_analysis_config_output_path=f"s3://{BUCKET}/{name}",
            label="pulsar",
            headers=["mean", "telescope", "pulsar"],
            **more,
        )

    bias = sdk("workflow.clarify_check_step").ClarifyCheckStep(
        name="data-bias",
        clarify_check_config=sdk("workflow.clarify_check_step").DataBiasCheckConfig(
            data_config=data("s3://survey/train.csv", "data-bias"),
            data_bias_config=sdk("clarify").BiasConfig([1], "telescope", [2], "mean"),
        ),
        check_job_config=_job(session),
        model_package_group_name=parameters["Group"],
    )
    model_bias = sdk("workflow.clarify_check_step").ClarifyCheckStep(
        name="model-bias",
        clarify_check_config=sdk("workflow.clarify_check_step").ModelBiasCheckConfig(
            data_config=data(
                parameters["Data"],
                "model-bias",
                features="features",
                dataset_type="application/jsonlines",
            ),
            data_bias_config=sdk("clarify").BiasConfig([1], "telescope"),
            model_config=sdk("clarify").ModelConfig(parameters["Model"], 1, "ml.m5.large"),
            model_predicted_label_config=sdk("clarify").ModelPredictedLabelConfig(
                probability=0, probability_threshold=0.8
            ),
            methods=["DPPL", "DI"],
        ),
        check_job_config=_job(session),
        supplied_baseline_constraints="s3://survey/c.json",
        cache_config=sdk("workflow.steps").CacheConfig(enable_caching=True, expire_after="7d"),
    )
    explain = sdk("workflow.clarify_check_step").ClarifyCheckStep(
        name="explain",
        clarify_check_config=sdk("workflow.clarify_check_step").ModelExplainabilityCheckConfig(
            data_config=data("s3://survey/train.csv", "explain"),
            model_config=sdk("clarify").ModelConfig(
                parameters["Model"], 1, "ml.m5.large", accept_type="text/csv"
            ),
            explainability_config=sdk("clarify").SHAPConfig(
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

    def source(value: Any) -> Any:
        return sdk("model_metrics").MetricsSource(s3_uri=value, content_type="application/json")

    data, model, bias, model_bias, explain = (step.properties for step in checks)
    places = [step.clarify_check_config.monitoring_analysis_config_uri for step in checks[3:]]
    metrics = sdk("model_metrics").ModelMetrics(
        model_data_statistics=source(data.CalculatedBaselineStatistics),
        model_data_constraints=source(data.CalculatedBaselineConstraints),
        model_statistics=source(model.CalculatedBaselineStatistics),
        model_constraints=source(model.CalculatedBaselineConstraints),
        bias_pre_training=source(bias.CalculatedBaselineConstraints),
        bias_post_training=source(model_bias.CalculatedBaselineConstraints),
        explainability=source(explain.CalculatedBaselineConstraints),
    )
    baselines = sdk("drift_check_baselines").DriftCheckBaselines(
        model_data_statistics=source(data.BaselineUsedForDriftCheckStatistics),
        model_data_constraints=source(data.BaselineUsedForDriftCheckConstraints),
        model_statistics=source(model.BaselineUsedForDriftCheckStatistics),
        model_constraints=source(model.BaselineUsedForDriftCheckConstraints),
        bias_config_file=sdk("model_metrics").FileSource(s3_uri=places[0]),
        bias_pre_training_constraints=source(bias.BaselineUsedForDriftCheckConstraints),
        bias_post_training_constraints=source(model_bias.BaselineUsedForDriftCheckConstraints),
        explainability_config_file=sdk("model_metrics").FileSource(s3_uri=places[1]),
        explainability_constraints=source(explain.BaselineUsedForDriftCheckConstraints),
    )
    made = {
        "ModelMetrics": metrics._to_request_dict(),
        "DriftCheckBaselines": baselines._to_request_dict(),
    }
    reports: Json = json.loads(json.dumps(made, default=lambda value: value.expr))
    return reports


def _transforms(session: Any, parameters: Json) -> list[Any]:
    def transform(name: str) -> Any:
        return (
            sdk("transformer")
            .Transformer(
                model_name=parameters["Model"],
                instance_count=1,
                instance_type="ml.m5.large",
                output_path=f"s3://survey/{name}",
                sagemaker_session=session,
            )
            .transform("s3://survey/all")
        )

    quality = sdk("workflow.quality_check_step").DataQualityCheckConfig(
        baseline_dataset="s3://survey/all",
        dataset_format=sdk("model_monitor.dataset_format").DatasetFormat.csv(),
        output_s3_uri="s3://survey/before-check",
    )
    bias = sdk("workflow.clarify_check_step").DataBiasCheckConfig(
        data_config=sdk("clarify").DataConfig(
            s3_data_input_path="s3://survey/all",
            s3_output_path="s3://survey/after-check",
            s3_analysis_config_output_path=f"s3://{BUCKET}/after",
            label="pulsar",
            headers=["mean", "telescope", "pulsar"],
        ),
        data_bias_config=sdk("clarify").BiasConfig([1], "telescope"),
    )
    collections = [
        sdk("workflow.monitor_batch_transform_step").MonitorBatchTransformStep(
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
        sdk("workflow.monitor_batch_transform_step").MonitorBatchTransformStep(
            name="after",
            transform_step_args=transform("after"),
            monitor_configuration=bias,
            check_job_configuration=_job(session),
            fail_on_violation=False,
        ),
    ]
    # SDK 3's Pipeline refuses collections of steps, and takes the steps in them.
    return [step for collection in collections for step in collection.steps]


def sdk(module: str) -> Any:
    """A module of the installed SDK by the name that SDK 2 has for it."""
    if MAJOR_2:
        return importlib.import_module(f"sagemaker.{module}")
    room = "mlops" if module.startswith("workflow.") and "parameters" not in module else "core"
    return importlib.import_module(f"sagemaker.{room}.{module}")


def write_definition(folder: Path) -> Path:
    """Write the definition and its scripts; returns its path."""
    (folder / "environments.yaml").write_text(ENVIRONMENTS.read_text("utf-8"), "utf-8")
    (folder / "pipeline.yaml").write_text(DEFINITION.read_text("utf-8"), "utf-8")
    for name in ("pre", "post"):
        (folder / f"{name}.py").write_text(f"print('{name}')\n", "utf-8")
    return folder / "pipeline.yaml"


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


def no_null_members(step: Json) -> None:
    """The SDK writes what is not given beside the arguments as null; ours leaves it out."""
    for name in [name for name, value in step.items() if value is None]:
        del step[name]
