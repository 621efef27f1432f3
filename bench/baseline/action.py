"""What every action must pay before its first line: the SDK, TIPCommon and requests. It does nothing else."""

import requests  # noqa: F401 - importing is what is measured

import ScriptResult  # noqa: F401
import SiemplifyAction  # noqa: F401
import TIPCommon.utils  # noqa: F401
