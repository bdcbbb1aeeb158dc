"""Check every account once against the margin levels and the loss of the settings."""

from rms_tui import (
    check_loss_alert,
    check_margin_alert,
    generate_alert_message,
    get_rms_instance,
)

rms = get_rms_instance()
rms.initialize()

for login, snapshot in rms.get_all_accounts_snapshot().items():
    account = snapshot["account"]
    margin = check_margin_alert(account["margin_level"])
    loss = check_loss_alert(account["profit"])
    if margin or loss:
        print(login, margin, loss)
    message = generate_alert_message(account)
    if message:
        print(message)

rms.stop()
