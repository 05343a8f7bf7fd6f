"""A copy that is put back is on the disk before it takes the ledger's place."""

from __future__ import annotations

from ladder_graph.ledger.moves import copies


def test_what_is_put_back_is_on_the_disk_before_it_has_its_name(file, tmp_path, monkeypatch):
    """A power cut leaves the old ledger or the whole new one; then what the folder lists is written, too."""
    ledger, waited = tmp_path / "other.db", []
    flush = copies.flush

    def noted(path):
        waited.append((path, ledger.exists()))
        flush(path)

    monkeypatch.setattr(copies, "flush", noted)
    assert copies.put_back(file, ledger, "before") is None
    assert waited == [(tmp_path / ".other.db.before.new", False), (tmp_path, True)]
    assert copies.check(ledger).ok


def test_a_copy_is_on_the_disk_before_it_has_its_name(file, tmp_path, monkeypatch):
    """The same holds of one that is taken."""
    target, waited = tmp_path / "copy.db", []
    flush = copies.flush

    def noted(path):
        waited.append((path.is_dir(), target.exists()))
        flush(path)

    monkeypatch.setattr(copies, "flush", noted)
    assert copies.copy(file, target).ok
    assert waited == [(False, False), (True, True)]
