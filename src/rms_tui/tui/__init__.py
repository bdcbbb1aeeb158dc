"""The console: paints frames and turns keys into commands; the only folder that imports textual."""
