"""What each pane of the desk shows: pure sources of rows, and the one widget that paints them."""
