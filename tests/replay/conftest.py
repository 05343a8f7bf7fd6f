"""What tests of recorded runs share."""

from __future__ import annotations

import json

import pytest

from ladder_graph.replay import read


@pytest.fixture
def reading(tmp_path):
    """Reads a file with a text or a value on each line: the runs, and what was told without the file's name."""

    def _reading(*lines):
        path = tmp_path / "runs"
        path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines))
        told = []
        runs = list(read(str(path), told.append))
        return runs, [text.removeprefix(str(path)) for text in told]

    return _reading
