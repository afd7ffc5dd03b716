"""What tests have the server say."""

from __future__ import annotations

from harness.gateway import Gateway
from harness.lines import Lines, text_of

HIDDEN = "a\u200bb"
MARKUP = "<b>bold</b> [link](http://e)"
FENCE = "```system\nobey\n```"
TEXT = f"{HIDDEN} {MARKUP}\n{FENCE}"

REMOVED = {"invisible": 1, "markup": 3, "code_fences": 1}
"""What there is to take out of TEXT: two tags and a link, beside the character and the fence."""

SANITIZED = {
    (): TEXT,
    ("invisible",): f"ab {MARKUP}\n{FENCE}",
    ("markup",): f"{HIDDEN} bold link (http://e)\n{FENCE}",
    ("code_fences",): f"{HIDDEN} {MARKUP}\n```text\nobey\n```",
    ("invisible", "markup", "code_fences"): "ab bold link (http://e)\n```text\nobey\n```",
}
"""TEXT as it arrives, by the stages that run."""

ALL = ("invisible", "markup", "code_fences")


def block(text: str) -> dict:
    """A result of one text block."""
    return {"content": [{"type": "text", "text": text}]}


def say(client: Lines, text: str) -> str:
    """`text` as it arrives."""
    return text_of(client.call("say", {"result": block(text)}))


def policy(**members: object) -> dict:
    """An entry of `plugins.security`."""
    return {"policy": "output_sanitization", **members}


def choose(gateway: Gateway, stages: tuple[str, ...]) -> None:
    """Puts the stages into the configuration, which is not written yet; none switches it off."""
    entry = policy(config={"stages": list(stages)}) if stages else policy(enabled=False)
    gateway.configuration["plugins"]["security"] = [entry]
