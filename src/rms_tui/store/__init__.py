"""MongoDB, the shared truth: the only folder that imports pymongo.

Nothing is imported here, so that `rms_tui.store` costs nothing before the first paint. pymongo
tries PyOpenSSL before Python's own `ssl`; the encryption brings half of what that needs, and half
is loaded, 9 MB, before the other half is found missing. So it is told beforehand.
"""

import sys
from importlib.util import find_spec

if find_spec("OpenSSL") is None:
    sys.modules.setdefault("pymongo.pyopenssl_context", None)  # type: ignore[arg-type]  # absent
