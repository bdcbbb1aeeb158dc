"""Write everything there is to know of the book into one file, named for the day."""

from datetime import datetime

from rms_tui import get_rms_instance

rms = get_rms_instance()
rms.initialize()

path = f"daily_report_{datetime.now():%Y%m%d}.json"
if rms.export_data(path):
    print(f"written: {path}")
