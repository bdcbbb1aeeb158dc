"""Watch several accounts and warn of a low margin level, until Ctrl-C."""

import sys
import time

from rms_tui import get_rms_instance

LOGINS = [int(login) for login in sys.argv[1:]] or [1001, 1002, 1003]

rms = get_rms_instance(update_interval=3)
if not rms.initialize():
    sys.exit(f"no connection: {rms.last_error}")

for login in LOGINS:
    rms.add_account(login)

rms.start()


def on_update(accounts):
    for a in accounts:
        account = a["account"]
        if account["margin_level"] < 150:
            print(
                f"Warning: {account['login_id']} is at {account['margin_level']:.1f} %", flush=True
            )


rms.add_callback(on_update)

try:
    while True:
        time.sleep(1)
except KeyboardInterrupt:
    rms.stop()
