"""The calls of every day, one after the other."""

import sys

from rms_tui import get_rms_instance

LOGIN = int(sys.argv[1]) if len(sys.argv) > 1 else 1001

rms = get_rms_instance(update_interval=5)
rms.initialize()
rms.add_account(LOGIN)
rms.start()

snapshot = rms.get_account_snapshot(LOGIN)
print("Balance:", snapshot["account"]["balance"])
print("Positions:", snapshot["positions"]["position_count"])

for position in rms.get_positions_by_symbol("EURUSD"):
    print("EURUSD:", position["login_id"], position["type"], position["volume"])

for symbol, exposure in rms.get_total_exposure_by_symbol().items():
    print(f"{symbol}: {exposure['volume']} lots of {exposure['accounts']} accounts")

rms.stop()
