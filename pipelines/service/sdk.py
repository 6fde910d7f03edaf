"""Which releases of the SageMaker SDK definitions can be compiled with."""

from __future__ import annotations

SDK_RANGE = ">=2.257.5,!=3.0.*,!=3.1.*,<4"
"""The requirement that pyproject.toml states: the releases on which every golden case compiles to
its golden. Major 2 before that misses a package that it needs (pytz, unless another brings it); 3.0
has no workflow package; 3.1 does not know the images of scikit-learn 1.4."""

SDK_INSTALL = f"python -m pip install 'sagemaker{SDK_RANGE}'"
"""The command that installs a release in that range."""
