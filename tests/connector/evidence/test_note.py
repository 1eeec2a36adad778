"""Signed notes and checkpoints: the specification's example, and what strict reading refuses."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connector.evidence import note
from connector.evidence.note import Advance, Checkpoint, Verifier
from policies.problem import Problem

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
ORIGIN = "node.example/log"
SIGNER = Verifier(ORIGIN, KEY.public_key().public_bytes_raw())
STRANGER = Verifier("other.example/log", OTHER.public_key().public_bytes_raw())
POINT = Checkpoint(ORIGIN, 42, bytes(range(32)))

# The known answer of C2SP signed-note: a verifier key, and a note it signed.
KNOWN_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
KNOWN_NOTE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ON"
    "ncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def signed(point=POINT) -> bytes:
    return note.sign_checkpoint(point, SIGNER, KEY.sign)


def test_the_known_answer():
    verifier = note.read_vkey(KNOWN_KEY)
    assert verifier.vkey() == KNOWN_KEY
    opened = note.open_note(KNOWN_NOTE.encode(), [verifier])
    assert opened.signers == ("example.com/foo",)
    with pytest.raises(Problem, match="note-signature"):
        note.open_note(KNOWN_NOTE.replace("example m", "other m").encode(), [verifier])


def test_a_checkpoint_goes_there_and_back():
    assert note.open_checkpoint(signed(), [STRANGER, SIGNER]) == POINT
    assert signed().startswith(b"node.example/log\n42\nAAECAw")
    more = Checkpoint(ORIGIN, 0, bytes(32), ("extension line",))
    assert note.open_checkpoint(signed(more), [SIGNER]) == more


def test_a_note_by_nobody_known_is_refused():
    with pytest.raises(Problem, match="note-unsigned"):
        note.open_note(signed(), [STRANGER])
    with pytest.raises(Problem, match="note-unsigned"):
        note.open_note(signed(), [])


def test_unknown_signatures_are_passed_over_but_one_wrong_known_one_refuses_all():
    second = note.sign_note(POINT.text(), STRANGER, OTHER.sign).split(b"\n\n")[1]
    both = signed() + second
    assert note.open_note(both, [SIGNER]).signers == (ORIGIN,)
    assert note.open_note(both, [SIGNER, STRANGER]).signers == (ORIGIN, STRANGER.name)
    bad = note.sign_note(POINT.text(), STRANGER, KEY.sign).split(b"\n\n")[1]
    assert note.open_note(signed() + bad, [SIGNER]).signers == (ORIGIN,)
    with pytest.raises(Problem, match="note-signature"):
        note.open_note(signed() + bad, [SIGNER, STRANGER])


def test_quorums_count_names_once():
    line = signed().split(b"\n\n")[1]
    assert note.open_note(signed() + line, [SIGNER]).signers == (ORIGIN,)


@pytest.mark.parametrize("size", ["+5", " 5", "5 ", "05", "-0", "٣", "", "1e3", "9" * 20])
def test_sizes_are_plain_numbers(size):
    text = f"{ORIGIN}\n{size}\n{'A' * 43}=\n"
    with pytest.raises(Problem, match="checkpoint-malformed"):
        note.read_checkpoint(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n5\n" + "A" * 43 + "=\n",
        ORIGIN + "\n5\n",
        ORIGIN + "\n5\n" + "A" * 42 + "B=\n",  # stray bits in the last character
        ORIGIN + "\n5\n" + "A" * 44 + "\n",
        ORIGIN + "\n5\n" + "A" * 43 + "=",
        ORIGIN + "\n5\n" + "A" * 43 + "=\n\nx\n",
    ],
)
def test_other_texts_are_no_checkpoints(text):
    with pytest.raises(Problem, match="checkpoint-malformed"):
        note.read_checkpoint(text)


NO_NOTES = {
    "cut": lambda data: data[:-1],
    "joined": lambda data: data.replace(b"\n\n", b"\n"),
    "dash": lambda data: data.replace("— ".encode(), b"- "),
    "extra-line": lambda data: data + b"\n",
    "control": lambda data: data.replace(b"42", b"4\x002"),
    "encoding": lambda data: b"\xff" + data,
    "base64": lambda data: data[:-2] + b"!\n",
    "long": lambda data: data + b"x" * 70_000,
    "many": lambda data: data + data.split(b"\n\n")[1] * 101,
    "short-signature": lambda data: (
        data.split("— ".encode())[0] + "— node.example/log AAAA\n".encode()
    ),
}


@pytest.mark.parametrize("change", NO_NOTES.values(), ids=NO_NOTES)
def test_malformed_notes_are_refused(change):
    with pytest.raises(Problem, match="note-malformed"):
        note.open_note(change(signed()), [SIGNER])


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        KNOWN_KEY.replace("530d903a", "530d903b"),
        KNOWN_KEY.replace("530d903a", "530D903A"),
        KNOWN_KEY.replace("foo+", "bar+"),
        KNOWN_KEY.replace("Aeky", "BEky"),
        KNOWN_KEY[:-1] + "l",
        KNOWN_KEY.replace("example.com/foo", "example com/foo"),
    ],
)
def test_verifier_keys_that_do_not_agree_with_themselves_are_refused(vkey):
    with pytest.raises(Problem, match="vkey-invalid"):
        note.read_vkey(vkey)


def test_only_fit_texts_are_signed():
    for text in ("no newline", "bell\x07\n"):
        with pytest.raises(ValueError, match="newline"):
            note.sign_note(text, SIGNER, KEY.sign)


def test_a_checkpoint_travels_with_its_proof():
    advance = Advance(7, (bytes(32), bytes(range(32))), signed())
    assert note.read_advance(note.write_advance(advance)) == advance
    assert note.read_advance(signed()) == Advance(0, (), signed())


@pytest.mark.parametrize("head", [b"old x\n\n", b"old 1\nAAAA\n\n", b"old 1\n", b"old 01\n\n"])
def test_malformed_proofs_before_a_checkpoint_are_refused(head):
    with pytest.raises(Problem, match="advance-malformed"):
        note.read_advance(head + b"x")
