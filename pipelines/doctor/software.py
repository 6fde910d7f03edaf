"""Python, this distribution and the packages it stands on; nothing is imported to look at it."""

from __future__ import annotations

import platform
import re
import sys
from importlib import metadata
from pathlib import Path

from pipelines.doctor.model import Finding
from pipelines.errors import SagedagError
from pipelines.service.sdk import SDK_INSTALL, SDK_RANGE

OLDEST_PYTHON = (3, 10)
NEWEST_PYTHON = (3, 13)
# By major of the SDK: the distributions, and the module in each, that compiling stands on.
_SDK_PARTS = {
    3: {
        "sagemaker-core": "sagemaker/core/workflow/parameters.py",
        "sagemaker-mlops": "sagemaker/mlops/workflow/pipeline.py",
    },
    2: {"sagemaker": "sagemaker/workflow/pipeline.py"},
}
_JOB_LIBRARIES = ("scikit-learn", "pandas", "matplotlib")


def check_python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Finding:
    """Say whether this interpreter is one that is supported."""
    written = ".".join(map(str, version))
    fine = OLDEST_PYTHON <= version[:2] <= NEWEST_PYTHON
    return Finding(
        "python",
        "Python",
        "works" if fine else "broken",
        f"{written} at {sys.executable}",
        "" if fine else "use Python 3.10 to 3.13; 3.11 is what the tests run on",
        essential=True,
    )


def check_sagedag() -> Finding:
    """Say which version of this tool runs, and on what machine."""
    machine = f"{platform.system()} {platform.machine()}"
    home = Path(__file__).parents[2]
    try:
        detail = f"{metadata.version('sagedag')} at {home}, {machine}"
    except metadata.PackageNotFoundError:
        detail = f"run from {home}, not installed, {machine}"
    return Finding("sagedag", "sagedag", "works", detail)


def check_packages() -> Finding:
    """Say whether the packages this tool requires are there, in versions it can use."""
    try:
        wanted = metadata.requires("sagedag") or []
    except metadata.PackageNotFoundError:
        return Finding("packages", "Packages", "absent", "not installed, so nothing is required")
    try:
        unmet = _unmet(wanted)
    except ImportError:
        unmet = ["packaging (not installed)"]
    if unmet:
        return Finding(
            "packages",
            "Packages",
            "broken",
            ", ".join(unmet),
            "install sagedag again into this environment: python -m pip install sagedag",
            essential=True,
        )
    return Finding("packages", "Packages", "works", "all that sagedag requires", essential=True)


def _unmet(wanted: list[str]) -> list[str]:
    from packaging.requirements import Requirement

    unmet = []
    for text in wanted:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = installed(requirement.name)
        if version is None:
            unmet.append(f"{requirement.name} (not installed)")
        elif not requirement.specifier.contains(version, prereleases=True):
            unmet.append(f"{requirement.name} {version} ({requirement.specifier} is needed)")
    return unmet


def installed(name: str) -> str | None:
    """Return the version of an installed distribution; None where there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def check_sdk() -> Finding:
    """Say which SageMaker SDK is installed, and whether definitions can be compiled with it."""
    version = installed("sagemaker")
    if version is None:
        return _sdk_broken("not installed, so nothing can be compiled")
    numbers = re.match(r"\d+", version)
    major = int(numbers[0]) if numbers else 0
    if not _in_range(version):
        return _sdk_broken(f"{version} is not supported; {SDK_RANGE.replace(',', ', ')} is")
    for name in _SDK_PARTS[major]:
        if installed(name) is None:
            return _sdk_broken(f"{version} without its part {name}")
    for name, module in _SDK_PARTS[major].items():
        if not Path(str(metadata.distribution(name).locate_file(module))).is_file():
            return _sdk_broken(f"{version}, but {module} is missing")
    detail = f"{version} (major {major}): supported, can compile"
    return Finding("sdk", "SageMaker SDK", "works", detail, essential=True)


def _in_range(version: str) -> bool:
    try:
        from packaging.specifiers import SpecifierSet
    except ImportError:
        return True  # `check_packages` says that it is missing
    return SpecifierSet(SDK_RANGE).contains(version, prereleases=True)


def _sdk_broken(detail: str) -> Finding:
    return Finding("sdk", "SageMaker SDK", "broken", detail, SDK_INSTALL, essential=True)


def check_service_model() -> Finding:
    """Say whether the API's model, against which requests are checked, can be read."""
    from pipelines.service.model import load_model

    version = installed("botocore")
    try:
        load_model("sagemaker").operation("CreatePipeline")
    except SagedagError as error:
        hint = error.hint or "python -m pip install --force-reinstall botocore"
        return Finding("service-model", "API model", "broken", error.message, hint, essential=True)
    detail = f"SageMaker's, from botocore {version or '(version unknown)'}"
    return Finding("service-model", "API model", "works", detail, essential=True)


def check_job_libraries() -> Finding:
    """Say whether jobs that run here can import what the pulsar pipeline's jobs import."""
    found = {name: installed(name) for name in _JOB_LIBRARIES}
    missing = [name for name, version in found.items() if version is None]
    if missing:
        return Finding(
            "job-libraries",
            "Job libraries",
            "absent",
            f"without {', '.join(missing)}: jobs here run in this Python and use its packages",
            "python -m pip install 'sagedag[pulsar]'",
        )
    detail = ", ".join(f"{name} {version}" for name, version in found.items())
    return Finding("job-libraries", "Job libraries", "works", detail)
