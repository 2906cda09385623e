"""What the README's first screen shows is what the program prints."""

import re
import shlex

MARK = "<!-- checked by tests/frame/test_readme.py -->"


def example(project_root):
    """Return the commands of the example, each with the lines that it prints."""
    text = (project_root / "README.md").read_text(encoding="utf-8")
    block = re.search(rf"{re.escape(MARK)}\n```\n(.*?)```", text, re.S).group(1)
    commands = []
    for line in block.splitlines():
        if line.startswith("$ "):
            commands.append((shlex.split(line[2:]), []))
        else:
            commands[-1][1].append(line.rstrip())
    return commands


def test_the_example_prints_what_the_readme_shows(
    mobility, sample_edition, project_root, monkeypatch
):
    monkeypatch.chdir(project_root)
    shown = [(words, lines) for words, lines in example(project_root) if "plan" in words]
    assert shown
    for words, lines in shown:
        outcome = mobility(*[sample_edition if w == "basel.edition" else w for w in words[1:]])
        assert outcome.status == 0, outcome.err
        printed = [line.rstrip() for line in outcome.out.rstrip().splitlines()]
        assert printed == lines


def test_every_link_of_the_readme_leads_somewhere(project_root):
    text = (project_root / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (project_root / target).exists(), target
