"""Checkpoints, as the program that needs only Python reads and verifies them."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ladder_graph.ledger.proof import checkpoints_alone as alone
from ladder_graph.ledger.proof.checkpoints_alone import DASH, GENESIS, Trail

VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        ("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
         "d25bf5f0595bbe24655141438e7a100b"),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        ("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
         "387b2eaeb4302aeeb00d291612bb0c00"),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        ("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
         "4a7c15e9716ed28dc027beceea1ec40a"),
    ),
]  # fmt: skip
"""RFC 8032, section 7.1, tests 1 to 3: public key, message, signature."""


class Signer:
    """A key that signs checkpoints."""

    def __init__(self, name="shop"):
        self.secret = Ed25519PrivateKey.generate()
        self.public = (name, self.secret.public_key().public_bytes_raw())

    def note(self, number, prev=GENESIS, *lines, total=1, origin="shop"):
        """A checkpoint."""
        said = [f"number {number}", "at 1", f"prev {prev}", *lines]
        root = alone.checkpoint_hash("\n".join([origin, str(total), "", *said, ""]))
        text = "\n".join([origin, str(total), base64.b64encode(bytes.fromhex(root)).decode(), *said, ""])
        mark = base64.b64encode(alone.key_hash(self.public) + self.secret.sign(text.encode())).decode()
        return f"{text}\n{DASH}{self.public[0]} {mark}\n"


def trail(*notes, keys=()):
    """What is wrong with these checkpoints."""
    return list(Trail(keys).problems(("here", note) for note in notes))


def chain(*makers):
    """Checkpoints that follow each other: each maker is given its number and the hash before it."""
    notes, prev = [], GENESIS
    for number, maker in enumerate(makers, 1):
        notes.append(maker(number, prev))
        prev = alone.read_note(notes[-1]).digest
    return notes


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_the_published_vectors(public, message, signature):
    """What RFC 8032 says is signed is signed, and with any bit of it turned it isn't."""
    key, text, mark = map(bytes.fromhex, (public, message, signature))
    assert alone.signed(key, text, mark)
    assert not alone.signed(key, text + b"x", mark)
    for place in (0, 31, 32, 63):
        turned = bytearray(mark)
        turned[place] ^= 1
        assert not alone.signed(key, text, bytes(turned))


def test_it_agrees_with_another_implementation():
    """A signature that a library makes is good here; one with its scalar moved by the group's order isn't."""
    one = Signer()
    for size in range(0, 200, 40):
        mark = one.secret.sign(b"m" * size)
        assert alone.signed(one.public[1], b"m" * size, mark)
        moved = (int.from_bytes(mark[32:], "little") + alone.L).to_bytes(32, "little")
        assert not alone.signed(one.public[1], b"m" * size, mark[:32] + moved)


def test_what_is_no_key_is_refused():
    """A public key with a letter changed is none."""
    text = alone.spell_key(Signer().public)
    assert alone.read_key(text)
    for broken in (text[:-4] + "AAAA", text.replace("shop", "shoe"), "shop", ""):
        with pytest.raises(ValueError):  # noqa: PT011  # whatever is wrong with it
            alone.read_key(broken)


def test_a_chain_of_checkpoints_is_good():
    """Checkpoints that follow each other, signed by one key, are good, and so they are handed out twice."""
    one = Signer()
    first, second = chain(one.note, one.note)
    assert trail(first, second, second, keys=[one.public]) == []
    assert trail(second, keys=[one.public]) == []  # who has only the last ones has these


def test_each_changed_line_shows():
    """Whatever line of a checkpoint is changed, it isn't the one that was signed."""
    one = Signer()
    (note,) = chain(lambda n, prev: one.note(n, prev, "head 1 " + "a" * 64 + ' "shop"'))
    for line in note.split("\n\n")[0].split("\n"):
        changed = note.replace(line, line.replace("1", "2") if "1" in line else line + "x", 1)
        assert trail(changed, keys=[one.public]), line


def test_forged_out_of_order_and_missing():
    """A checkpoint of another key, another one of a number, one behind a later one, and a gap are each named."""
    one, other = Signer(), Signer()
    first, second, third = chain(one.note, one.note, one.note)
    forged = other.note(4, alone.read_note(third).digest)
    keys = [one.public]
    assert "isn't signed by a key" in trail(first, second, third, forged, keys=keys)[0]
    assert "is another one" in trail(first, one.note(1, GENESIS, total=2), keys=keys)[0]
    assert any("out of order" in problem for problem in trail(second, first, keys=keys))
    assert "checkpoint 2 is missing" in trail(first, third, keys=keys)[0]
    assert "doesn't follow" in trail(first, one.note(2, "a" * 64), keys=keys)[0]
    assert "fewer entries" in trail(first, one.note(2, alone.read_note(first).digest, total=0), keys=keys)[0]
    assert any(
        "is of elsewhere" in it for it in trail(first, one.note(2, alone.read_note(first).digest, origin="elsewhere"))
    )


def test_a_key_hands_its_trust_on():
    """Who trusts the first key trusts the next one from then on; who has only the new one gets back to the first."""
    old, new = Signer(), Signer()
    handed = f"next {alone.spell_key(new.public)}"
    notes = chain(old.note, lambda n, prev: old.note(n, prev, handed), new.note)
    assert trail(*notes, keys=[old.public]) == []
    assert trail(*notes, keys=[new.public]) == []
    early = chain(old.note, new.note)
    assert "checkpoint 2 isn't signed" in trail(*early, keys=[old.public])[0]


def test_a_retired_key_signs_nothing_from_then_on():
    """What a leaked key signs after it was retired isn't trusted, nor what it hands on to; before, it counts."""
    old, new, thief = Signer(), Signer(), Signer()
    gone = f"retired {alone.spell_key(old.public)}"
    notes = chain(old.note, lambda n, prev: new.note(n, prev, gone))
    keys = [old.public, new.public]
    assert trail(*notes, keys=keys) == []
    after = alone.read_note(notes[-1]).digest
    assert "checkpoint 3 isn't signed" in trail(*notes, old.note(3, after), keys=keys)[0]
    handed = f"next {alone.spell_key(thief.public)}"
    assert "checkpoint 3 isn't signed" in trail(*notes, thief.note(3, after, handed), keys=keys)[0]
    fork = old.note(2, alone.read_note(notes[0]).digest, handed)
    assert "is another one" in "".join(trail(notes[0], notes[1], fork, keys=keys))


def test_a_file_that_was_torn_off_is_read():
    """A checkpoint of which only the beginning was written, and then all of it, is one."""
    one = Signer()
    first, second = chain(one.note, one.note)
    for end in range(1, len(second) - 1, 7):
        read = alone.notes_of(f"{first}\n{second[:end]}\n\n{second}\n")
        found = [alone.read_note(note).number for note in read]
        assert found[-1] == 2, end
        assert set(found) == {1, 2}


def test_an_agent_with_a_dash_in_its_name():
    """A file is read apart at its signatures, and not at what looks like one in the name of an agent."""
    one, head = Signer(), f'head 1 {"a" * 64} "ops {DASH}night"'
    notes = chain(lambda n, prev: one.note(n, prev, head), lambda n, prev: one.note(n, prev, head))
    assert alone.notes_of("".join(f"{note}\n" for note in notes)) == notes
