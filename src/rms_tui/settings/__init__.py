"""Settings from options, environment, `.env` and `rms.toml`, in that order of precedence.

Every wrong value is reported with its variable, what was given, what is allowed and where it came
from. Secrets are SecretStr: they redact themselves wherever they are printed.
"""

from rms_tui.settings.collection_names import COLLECTIONS, collections_of
from rms_tui.settings.layers import Loaded, load
from rms_tui.settings.limits import plan_of
from rms_tui.settings.refused import SettingsError
from rms_tui.settings.variables import SECRETS, Settings, Source

__all__ = [
    "COLLECTIONS",
    "SECRETS",
    "Loaded",
    "Settings",
    "SettingsError",
    "Source",
    "collections_of",
    "load",
    "plan_of",
]
