"""The long fault tests are left out unless they are asked for: `pytest -m faults`."""

from __future__ import annotations


def pytest_configure(config):
    """Make the marker known."""
    config.addinivalue_line("markers", "faults: takes long; runs only where `-m` names it")


def pytest_collection_modifyitems(config, items):
    """Leave the marked ones out, unless `-m` says something about them."""
    if "faults" in config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("faults")]
    items[:] = [item for item in items if item not in long]
    config.hook.pytest_deselected(items=long)
