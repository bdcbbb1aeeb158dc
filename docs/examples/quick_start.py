"""The calls of every day, one after the other."""

import sys

from rms_tui import get_rms_instance

rms = get_rms_instance(update_interval=5)
if not rms.initialize():
    sys.exit(f"no connection: {rms.last_error}")

login = int(sys.argv[1]) if len(sys.argv) > 1 else next(iter(rms.get_all_accounts_snapshot()))
if not rms.add_account(login):
    sys.exit(1)  # why is logged
rms.start()

snapshot = rms.get_account_snapshot(login)
print("Balance:", snapshot["account"]["balance"])
print("Positions:", snapshot["positions"]["position_count"])

for position in rms.get_positions_by_symbol("EURUSD"):
    print("EURUSD:", position["login_id"], position["type"], position["volume"])

for symbol, exposure in rms.get_total_exposure_by_symbol().items():
    print(f"{symbol}: {exposure['volume']} lots of {exposure['accounts']} accounts")

rms.stop()
