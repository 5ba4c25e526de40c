"""The benches behind `python -m swf_core bench NAME`."""
