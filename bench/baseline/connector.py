"""What every connector must pay before its first line: the SDK, TIPCommon and requests. It does nothing else."""

import requests  # noqa: F401 - importing is what is measured

import SiemplifyConnectors  # noqa: F401
import TIPCommon.utils  # noqa: F401
