"""Steps built by SDK 2's own classes of which SDK 3 has none, or none that makes a request."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sdk2_producers import CODE, sdk2_surroundings
from side_by_side import by_name
from surroundings import BUCKET, REGION, ROLE

Json = dict[str, Any]
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/image:1"


def build(endpoint_url: str) -> Json:
    """The steps by name as SDK 2 writes them."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        sdk2_surroundings(endpoint_url, Path(scratch)),
    ):
        import boto3
        from sagemaker.workflow.pipeline import Pipeline
        from sagemaker.workflow.pipeline_context import PipelineSession

        session = PipelineSession(
            boto_session=boto3.Session(region_name=REGION), default_bucket=BUCKET
        )
        parameters, searches = _automl(session)
        steps = [*searches, _training(session), *_chain(session), _processing(session)]
        pipeline = Pipeline(
            name="kinds", parameters=parameters, steps=steps, sagemaker_session=session
        )
        return by_name(json.loads(pipeline.definition()))


def hyperparameters(endpoint_url: str, wanted: Mapping[str, tuple[str, Json]]) -> Json:
    """The hyperparameters that frameworks' estimators write for their distributions."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        sdk2_surroundings(endpoint_url, Path(scratch)),
    ):
        import boto3
        from sagemaker.pytorch import PyTorch
        from sagemaker.session import Session
        from sagemaker.tensorflow import TensorFlow

        common = {
            "entry_point": "train.py",
            "source_dir": str(CODE),
            "instance_type": "ml.p4d.24xlarge",
            "instance_count": 2,
            "image_uri": IMAGE,
            "role": ROLE,
            "sagemaker_session": Session(
                boto_session=boto3.Session(region_name=REGION), default_bucket=BUCKET
            ),
        }
        makers = {
            "pytorch": PyTorch,
            "tensorflow": partial(TensorFlow, model_dir=False),
        }
        return {
            name: makers[framework](**common, distribution=how).hyperparameters()
            for name, (framework, how) in wanted.items()
        }


def _automl(session: Any) -> tuple[list[Any], list[Any]]:
    from sagemaker.automl.automl import AutoML, AutoMLInput
    from sagemaker.workflow.automl_step import AutoMLStep
    from sagemaker.workflow.model_step import ModelStep
    from sagemaker.workflow.parameters import ParameterString
    from sagemaker.workflow.steps import CacheConfig

    table = ParameterString("Table", default_value="s3://survey/train.csv")
    common = {
        "role": ROLE,
        "target_attribute_name": "is_pulsar",
        "mode": "ENSEMBLING",
        "sagemaker_session": session,
    }
    plain = AutoML(**common, output_path="s3://models/plain")
    first = AutoMLStep("plain", step_args=plain.fit([AutoMLInput(table, "is_pulsar")]))
    full = AutoML(
        **common,
        output_path="s3://models/full",
        output_kms_key="alias/outputs",
        volume_kms_key="alias/volumes",
        encrypt_inter_container_traffic=True,
        vpc_config={"SecurityGroupIds": ["sg-0a1b2c3d"], "Subnets": ["subnet-0a1b2c3d"]},
        problem_type="BinaryClassification",
        job_objective={"MetricName": "F1"},
        max_candidates=20,
        max_runtime_per_training_job_in_seconds=1200,
        total_job_runtime_in_seconds=7200,
        tags=[{"Key": "team", "Value": "astro"}],
        feature_specification_s3_uri="s3://survey/features.json",
        validation_fraction=0.2,
        auto_generate_endpoint_name=True,
    )
    tables = [
        AutoMLInput(
            f"s3://survey/{name}.csv.gz",
            "is_pulsar",
            compression="Gzip",
            channel_type=channel,
            content_type="text/csv;header=present",
            s3_data_type="S3Prefix",
            sample_weight_attribute_name="weight",
        )
        for channel, name in (("training", "train"), ("validation", "validation"))
    ]
    second = AutoMLStep(
        "full",
        step_args=full.fit(tables),
        cache_config=CacheConfig(enable_caching=True, expire_after="7d"),
        depends_on=[first],
    )
    model = second.get_best_auto_ml_model(role=ROLE, sagemaker_session=session)
    create = ModelStep("create", step_args=model.create())
    register = ModelStep(
        "register",
        step_args=model.register(
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.m5.large"],
            model_package_group_name="pulsar",
        ),
    )
    return [table], [first, second, create, register]


def _training(session: Any) -> Any:
    from sagemaker.estimator import Estimator
    from sagemaker.inputs import FileSystemInput, ShuffleConfig, TrainingInput
    from sagemaker.workflow.steps import TrainingStep

    estimator = Estimator(
        image_uri=IMAGE,
        role=ROLE,
        instance_count=2,
        instance_type="ml.m5.xlarge",
        keep_alive_period_in_seconds=1800,
        volume_size=100,
        volume_kms_key="alias/volumes",
        max_run=7200,
        use_spot_instances=True,
        max_wait=10800,
        checkpoint_s3_uri="s3://models/checkpoints",
        checkpoint_local_path="/opt/ml/state",
        output_path="s3://models/out",
        output_kms_key="alias/outputs",
        metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        hyperparameters={"depth": "6"},
        environment={"LEVEL": "info"},
        subnets=["subnet-0a1b2c3d"],
        security_group_ids=["sg-0a1b2c3d"],
        enable_network_isolation=True,
        encrypt_inter_container_traffic=True,
        container_entry_point=["python3", "-m", "fit"],
        container_arguments=["--fast"],
        tags=[{"Key": "team", "Value": "astro"}],
        disable_profiler=True,
        debugger_hook_config=False,
        sagemaker_session=session,
    )
    channels = {
        "train": TrainingInput(
            "s3://survey/manifest.json",
            distribution="ShardedByS3Key",
            compression="Gzip",
            content_type="application/x-recordio",
            record_wrapping="RecordIO",
            s3_data_type="AugmentedManifestFile",
            input_mode="Pipe",
            attribute_names=["source-ref", "label"],
            shuffle_config=ShuffleConfig(7),
        ),
        "more": FileSystemInput(
            "fs-0123456789abcdef0", "FSxLustre", "/fsx/more", "rw", content_type="text/csv"
        ),
        "plain": FileSystemInput("fs-0123456789abcdef0", "EFS", "/plain"),
    }
    return TrainingStep("train", step_args=estimator.fit(channels))


def _chain(session: Any) -> list[Any]:
    from sagemaker.model import Model
    from sagemaker.multidatamodel import MultiDataModel
    from sagemaker.pipeline import PipelineModel
    from sagemaker.workflow.model_step import ModelStep

    models = [
        Model(
            image_uri=IMAGE,
            model_data=f"s3://models/{name}.tar.gz",
            env={"STAGE": name},
            role=ROLE,
            sagemaker_session=session,
        )
        for name in ("first", "second")
    ]
    chain = PipelineModel(
        models,
        ROLE,
        vpc_config={"SecurityGroupIds": ["sg-0a1b2c3d"], "Subnets": ["subnet-0a1b2c3d"]},
        enable_network_isolation=True,
        sagemaker_session=session,
    )
    registered = chain.register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.large"],
        model_package_group_name="chain",
        approval_status="Approved",
    )
    many = MultiDataModel(
        name="many",
        model_data_prefix="s3://models/all/",
        image_uri=IMAGE,
        role=ROLE,
        env={"STAGE": "all"},
        sagemaker_session=session,
    )
    return [
        ModelStep("many", step_args=many.create("ml.m5.large")),
        ModelStep("chain", step_args=chain.create("ml.m5.large")),
        ModelStep("chain-versions", step_args=registered),
    ]


def _processing(session: Any) -> Any:
    from sagemaker.processing import FrameworkProcessor, ProcessingOutput
    from sagemaker.sklearn.estimator import SKLearn
    from sagemaker.workflow.steps import ProcessingStep

    processor = FrameworkProcessor(
        estimator_cls=SKLearn,
        framework_version="1.4-2",
        role=ROLE,
        instance_count=1,
        instance_type="ml.m5.large",
        max_runtime_in_seconds=3600,
        env={"LEVEL": "info"},
        sagemaker_session=session,
    )
    arguments = processor.run(
        code="train.py",
        source_dir=str(CODE),
        arguments=["--seed", "7"],
        outputs=[ProcessingOutput("/opt/ml/processing/report", "s3://results/report", "report")],
    )
    return ProcessingStep("prepare", step_args=arguments)
