"""Short pages about the language itself."""

from __future__ import annotations

from pipelines.explain.document import Code, Document, Heading, Table, Text
from steps import KINDS, all_fields

LABEL = "topic"

_REPLACED = ", ".join(
    f"`{name}`"
    for name in dict.fromkeys(
        name for kind in KINDS for name, field in all_fields(kind).items() if field.replace
    )
)

REFERENCES = Document(
    "references",
    LABEL,
    "`${…}` stands for a value that is known only when the pipeline runs.",
    (
        Code(
            'inputs: {train: "${steps.preprocess.outputs.train}"}\n'
            'message: "precision is below ${parameters.MinPrecision}"\n'
        ),
        Text(
            "A value that is exactly one reference becomes that value. With text around it, the "
            "parts are joined to a text. `$${` writes a literal `${`. Inside `[…]` and `{…}` YAML "
            "needs quotes around it."
        ),
        Heading("What can be referred to"),
        Table(
            ("reference", "gives"),
            (
                ("`parameters.NAME`", "a parameter of the pipeline"),
                ("`execution.id`, `execution.arn`", "the execution"),
                ("`execution.pipeline_name`, `execution.pipeline_arn`", "the pipeline"),
                ("`execution.start_datetime`, `execution.current_datetime`", "times"),
                (
                    "`execution.training_job_name`, `execution.processing_job_name`",
                    "the name of the step's own job",
                ),
                ("`steps.NAME.…`", "a value of another step; `sagedag explain KIND` lists them"),
                (
                    "`steps.NAME.properties.A.B[0]['key']`",
                    "any field of the Describe call's answer, checked against the API's model",
                ),
                (
                    "`json('s3://bucket/${execution.id}/result.json').accuracy`",
                    "a value in a JSON file on S3; references may stand in its URI",
                ),
            ),
        ),
        Heading("Rules"),
        Text(
            "A reference makes the order: the step waits for the one it refers to. A step inside "
            "a branch can be referred to from the same branch only.\n\n"
            "References have types. A number is turned into text where text is wanted (an "
            "argument, a hyperparameter, an environment variable); nothing else is converted.\n\n"
            "A name with other characters than letters, digits, `-` and `_` is written in "
            "brackets: `steps.evaluate.files.metrics['f1 score']`."
        ),
    ),
)

TEMPLATES = Document(
    "templates",
    LABEL,
    "`{{ … }}` is filled in when the definition is compiled.",
    (
        Code(
            "InputData: s3://{{ bucket }}/htru2/HTRU_2.csv\n"
            'hyperparameters: {n-estimators: "{{ vars.trees }}"}\n'
            "train-{{ matrix.depth }}: {type: Training, matrix: {depth: [4, 8]}}\n"
        ),
        Text(
            "A value that is exactly one template takes the type of its result, any other becomes "
            "text. A value that begins with `{{` must be quoted. Templates come before references, "
            "so `${steps.train-{{ matrix.depth }}.model}` works. Nothing is filled in twice."
        ),
        Heading("Names"),
        Table(
            ("name", "is"),
            (
                ("`env`", "the environment's name"),
                ("`region`, `account`, `bucket`, `prefix`, `role`", "what the environment says"),
                ("`vars.NAME`", "a value under `vars`, or of `--var NAME=VALUE`"),
                ("`pipeline`", "the pipeline's name"),
                ("`matrix.NAME`", "the step's own value of its `matrix`"),
                ("`git.sha`, `git.branch`, `git.tag`", "the commit, its branch, its tag"),
                (
                    "`git.dirty`, `git.repository`",
                    "whether anything is uncommitted; the remote's URL",
                ),
                ("`asset('path')`", "the S3 URI that a file beside the definition will have"),
            ),
        ),
        Heading("Expressions"),
        Text(
            "Literals, comparisons, `and`, `or`, `not`, `a if b else c`, arithmetic with numbers, "
            "`~` to put text together, `is defined`.\n\n"
            "Filters: `default`, `lower`, `upper`, `title`, `capitalize`, `trim`, `replace`, "
            "`join`, `slug`, `int`, `float`, `string`, `round`, `abs`, `length`, `first`, `last`. "
            "Methods of text: `lower`, `upper`, `title`, `capitalize`, `strip`, `lstrip`, "
            "`rstrip`, `startswith`, `endswith`, `removeprefix`, `removesuffix`, `replace`, "
            "`split`. The filter `slug` makes any text fit for a step's name."
        ),
    ),
)

CONDITIONS = Document(
    "conditions",
    LABEL,
    "`if` of a Condition step is one boolean expression over references.",
    (
        Code(
            "if: >\n"
            "  steps.evaluate.files.metrics.accuracy >= 0.95 and\n"
            "  (parameters.Site in ['north', 'south'] or not parameters.Strict)\n"
        ),
        Heading("Parts"),
        Table(
            ("part", "means"),
            (
                ("`steps.…`, `parameters.…`", "references, without `${}`"),
                ("`1.5`, `'text'`, `true`", "literals"),
                ("`==`, `!=`", "equal, not equal"),
                ("`<`, `<=`, `>`, `>=`", "order of numbers"),
                ("`in [a, b]`, `not-in [a, b]`", "one of a list, none of it"),
                ("`and`, `or`, `not`, `( )`", "put together"),
            ),
        ),
        Heading("Rules"),
        Text(
            "A Boolean alone means `== true`. A value of a JSON file takes the type of the other "
            "side. Comparisons can't be chained: write `a < b and b < c`.\n\n"
            "The service knows a list of clauses that must all hold, each of them one comparison "
            "or several of which one must hold. The expression is brought to that form; more than "
            "64 clauses are refused."
        ),
    ),
)

MERGING = Document(
    "merging",
    LABEL,
    "What a definition is put together from, and what wins.",
    (
        Text("From low to high; a higher layer is laid over the ones below it:"),
        Table(
            ("layer", "holds"),
            (
                ("`environments.yaml`", "`vars`, `tags` and `defaults` of the environment"),
                ("`extends`", "the file that is extended, and what that one extends"),
                ("the definition", "everything"),
                ("`environments: {NAME: …}`", "the definition's overlay for the environment"),
                ("the command line", "`--var NAME=VALUE`"),
            ),
        ),
        Text("Then, for each step:"),
        Table(
            ("layer", "holds"),
            (
                ("`defaults`", "fields of every kind that has them"),
                ("`defaults: {KIND: …}`", "fields of the steps of that kind"),
                ("the step referred to", "the image of the training step that `model` names"),
                ("the step", "its own fields"),
            ),
        ),
        Text(
            "Maps merge. Lists and single values replace. Null deletes. Short forms become long "
            "ones first: `instance: ml.m5.large` over `{type: ml.m5.xlarge, volume_gb: 50}` keeps "
            "the volume."
        ),
        Text(f"These fields replace as a whole, maps included: {_REPLACED}."),
    ),
)

PATHS = Document(
    "paths",
    LABEL,
    "Where files are looked for, and what may be local.",
    (
        Text(
            "A path in a definition is relative to the file in which it is written, `extends` and "
            "overlays included. On the command line it is relative to the working directory.\n\n"
            "`extends`, `code` and assets must lie inside the project's root, symbolic links "
            "followed: the nearest folder above with an `environments.yaml`, else the git "
            "repository, else the definition's own folder.\n\n"
            "In the environment `local` any S3 URI may be a path on this machine. Everywhere else "
            "it must be an S3 URI; keep local paths in an overlay:"
        ),
        Code(
            "parameters: {InputData: s3://{{ bucket }}/candidates.csv}\n"
            "environments:\n"
            "  local: {parameters: {InputData: data/candidates.csv}}\n"
        ),
        Text(
            "Code is published under a name made from its content, so the same code has the same "
            "S3 URI on every machine and every day, and the service's cache keeps working."
        ),
    ),
)

DURATIONS = Document(
    "durations",
    LABEL,
    "Times are written with their unit: `2h`, `90m`, `1d12h`, `30d`.",
    (
        Table(
            ("unit", "is"),
            (
                ("`s`", "seconds"),
                ("`m`", "minutes"),
                ("`h`", "hours"),
                ("`d`", "days"),
                ("`w`", "weeks"),
            ),
        ),
        Text(
            "Several units go from the greatest to the least: `1d12h30m`. ISO 8601 works as well: "
            "`PT2H`, `P1DT12H`. Months and years have no fixed length and are refused. Each "
            "duration is written in the form that its API field wants: seconds, minutes or ISO "
            "8601."
        ),
    ),
)

MATRIX = Document(
    "matrix",
    LABEL,
    "One step repeated for every combination of values.",
    (
        Code(
            "steps:\n"
            "  train-{{ matrix.depth }}-{{ matrix.rate | slug }}:\n"
            "    type: Training\n"
            "    matrix:\n"
            "      depth: [4, 8]\n"
            "      rate: [0.1, 0.3]\n"
            "      exclude: [{depth: 8, rate: 0.3}]\n"
            '    hyperparameters: {max_depth: "{{ matrix.depth }}", eta: "{{ matrix.rate }}"}\n'
            "  compare:\n"
            "    type: Processing\n"
            "    inputs: {models: {each: train-*, value: model}}\n"
        ),
        Text(
            "The step's key must contain the values, so that every copy has a name of its own; "
            "`slug` makes a value fit. `include` adds combinations, `exclude` takes some out. The "
            "copies are made when the definition is compiled.\n\n"
            "Other steps wait for all of them with a glob, `depends_on: [train-*]`, and take one "
            "input from each with `each` and `value`."
        ),
    ),
)

TOPICS: dict[str, Document] = {
    page.title: page
    for page in (REFERENCES, TEMPLATES, CONDITIONS, MERGING, PATHS, DURATIONS, MATRIX)
}
"""The topics by name, in reading order."""
