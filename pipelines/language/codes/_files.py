"""Codes about files, environments and places in S3."""

from __future__ import annotations

from pipelines.language.pages import Group, Page, example

_DEV = """
    environments:
      dev:
        account: "111122223333"
        region: us-east-1
        role: arn:aws:iam::111122223333:role/pipelines
        bucket: dev-bucket
"""
_SCRIPT = {"code/train.py": "print('training')\n"}

GROUP = Group(
    "Files and environments",
    (
        Page(
            "missing-file",
            "A file or folder does not exist",
            "A path in a definition is relative to the file in which it is written, not to the "
            "working directory and not to the file that extends it.",
            "Code is read and published when the definition is compiled and deployed.",
            example(
                """
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: sklearn, version: 1.4-2-py312}
                    instance: ml.m5.large
                    code: code/trian.py
                """,
                _SCRIPT,
            ),
            example(
                """
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: sklearn, version: 1.4-2-py312}
                    instance: ml.m5.large
                    code: code/train.py
                """,
                _SCRIPT,
            ),
        ),
        Page(
            "outside-project",
            "A path leads out of the project",
            "`extends`, `code` and assets must lie inside the project's root, symbolic links "
            "followed. The root is the nearest folder above with an `environments.yaml`, else the "
            "git repository, else the definition's own folder. Absolute paths are refused.",
            "A definition that compiles on one machine must compile on every other; and a "
            "definition from elsewhere must not publish files of yours.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: sklearn, version: 1.4-2-py312}
                    instance: ml.m5.large
                    code: ../../elsewhere/train.py
                """),
            example(
                """
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: sklearn, version: 1.4-2-py312}
                    instance: ml.m5.large
                    code: code/train.py
                """,
                _SCRIPT,
            ),
        ),
        Page(
            "bad-path",
            "A text can't be a path",
            "The path is empty, holds a NUL character, or runs through links that go in a circle.",
            "No file can be found by it.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: sklearn, version: 1.4-2-py312}
                    instance: ml.m5.large
                    code: ""
                """),
            example(
                """
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: sklearn, version: 1.4-2-py312}
                    instance: ml.m5.large
                    code: code/train.py
                """,
                _SCRIPT,
            ),
        ),
        Page(
            "bad-asset",
            "A code folder can't be published",
            "The folder holds a link that leads to a folder or out of the project, more than 5,000 "
            "files or 250 MiB, or a file that can't be read.",
            "A code folder is published as a whole. Linked folders would be left out, and data "
            "belong into S3. In the example, `code/shared` is a symbolic link to `lib`.",
            example(
                """
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: sklearn, version: 1.4-2-py312}
                    instance: ml.m5.large
                    code: {dir: code, entry: train.py}
                """,
                {**_SCRIPT, "lib/tools.py": "SEED = 7\n"},
                links={"code/shared": "../lib"},
            ),
            example(
                """
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: sklearn, version: 1.4-2-py312}
                    instance: ml.m5.large
                    code: {dir: code, entry: train.py}
                """,
                {**_SCRIPT, "code/shared/tools.py": "SEED = 7\n"},
            ),
        ),
        Page(
            "extends-cycle",
            "Files extend each other in a circle",
            "A file names, in `extends`, a file that extends it in turn, directly or by way of "
            "others.",
            "There is no lowest layer to begin with.",
            example(
                """
                pipeline: demo
                extends: base.yaml
                steps:
                  stop: {type: Fail, message: not yet}
                """,
                {"base.yaml": "extends: pipeline.yaml\nparallelism: 2\n"},
            ),
            example(
                """
                pipeline: demo
                extends: base.yaml
                steps:
                  stop: {type: Fail, message: not yet}
                """,
                {"base.yaml": "parallelism: 2\n"},
            ),
        ),
        Page(
            "unknown-environment",
            "There is no such environment",
            "An overlay under `environments` is named after an environment that "
            "`environments.yaml` does not have.",
            "The overlay would never hold.",
            example(
                """
                pipeline: demo
                steps:
                  stop: {type: Fail, message: not yet}
                environments:
                  devel: {parallelism: 2}
                """,
                {"environments.yaml": _DEV},
            ),
            example(
                """
                pipeline: demo
                steps:
                  stop: {type: Fail, message: not yet}
                environments:
                  dev: {parallelism: 2}
                """,
                {"environments.yaml": _DEV},
            ),
        ),
        Page(
            "endpoint-not-loopback",
            "An endpoint is not on this machine",
            "`endpoint_url` in `environments.yaml` sends API calls to another place than AWS, for "
            "tests against a stand-in. A committed file may name loopback addresses only.",
            "Whoever runs a command in this project would send signed requests there.",
            example(
                """
                pipeline: demo
                steps:
                  stop: {type: Fail, message: not yet}
                """,
                {
                    "environments.yaml": """
                    environments:
                      dev:
                        account: "111122223333"
                        region: us-east-1
                        role: arn:aws:iam::111122223333:role/pipelines
                        bucket: dev-bucket
                        endpoint_url: http://aws.example.com:5000
                    """
                },
                environment="dev",
            ),
            example(
                """
                pipeline: demo
                steps:
                  stop: {type: Fail, message: not yet}
                """,
                {
                    "environments.yaml": """
                    environments:
                      dev:
                        account: "111122223333"
                        region: us-east-1
                        role: arn:aws:iam::111122223333:role/pipelines
                        bucket: dev-bucket
                        endpoint_url: http://127.0.0.1:5000
                    """
                },
                environment="dev",
            ),
        ),
        Page(
            "missing-role",
            "There is no IAM role",
            "Neither `environments.yaml` nor the definition names a role. The environment `local` "
            "needs none.",
            "Every pipeline and every job on AWS runs with a role.",
            example(
                """
                pipeline: demo
                steps:
                  stop: {type: Fail, message: not yet}
                """,
                {
                    "environments.yaml": """
                    environments:
                      dev: {account: "111122223333", region: us-east-1, bucket: dev-bucket}
                    """
                },
                environment="dev",
            ),
            example(
                """
                pipeline: demo
                steps:
                  stop: {type: Fail, message: not yet}
                """,
                {"environments.yaml": _DEV},
                environment="dev",
            ),
        ),
        Page(
            "local-path",
            "A local path stands where AWS needs an S3 URI",
            "In the environment `local` any S3 URI may be a path on this machine. In every other "
            "environment it must be an S3 URI.",
            "A job on AWS can't read files of this machine. Keep the local path in an overlay.",
            example(
                """
                pipeline: demo
                parameters: {Data: data/train.csv}
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    inputs: {train: "${parameters.Data}"}
                """,
                {"environments.yaml": _DEV},
                environment="dev",
            ),
            example(
                """
                pipeline: demo
                parameters: {Data: "s3://{{ bucket }}/train.csv"}
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    inputs: {train: "${parameters.Data}"}
                environments:
                  local: {parameters: {Data: data/train.csv}}
                """,
                {"environments.yaml": _DEV},
                environment="dev",
            ),
        ),
    ),
)
