from pathlib import Path

from connector.cli.story.nodes import Node, Ports
from connector.cli.story.scene import Voice

NODE = Node("lab", Path("lab"), Ports(1, 2), "did:web:localhost", Path("lab.log"))
PID = "urn:uuid:c344c01d-2b74-4272-b4ab-5e3f3df94ae9"


def test_the_story_fits_a_hundred_columns(capsys):
    voice = Voice("en", silent=False)
    voice.tell("mot " * 60, "word " * 60)
    voice.quote("word " * 60)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 4
    assert max(map(len, lines)) <= 100
    assert {len(line) - len(line.lstrip()) for line in lines} == {2, 4}


def test_commands_name_the_node_and_shorten_what_nobody_reads(capsys):
    Voice("fr", silent=False).command(NODE, f"transfer fetch {PID} --out received")
    said = capsys.readouterr().out
    assert said == "  lab$ preau transfer fetch urn:uuid:c344c01d… --out received\n"


def test_a_silent_voice_says_nothing(capsys):
    voice = Voice("en", silent=True)
    voice.tell("un", "one")
    voice.act(1, ("un", "one"))
    assert capsys.readouterr().out == ""
