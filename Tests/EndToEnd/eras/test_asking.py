"""What servers ask of the client: by requests of their own in the legacy era, by interim results in the modern one."""

from __future__ import annotations

import json

import pytest

from harness.client import Answers, Refused, Session, open_session
from harness.gateway import Gateway
from harness.matrix import NO_INTERIM_RESULTS, NO_SERVER_REQUESTS, Cell
from harness.waiting import eventually

PLAIN = ["option1", "option2", "option3"]
TITLED = [{"const": f"value{number}", "title": f"Option {number}"} for number in (1, 2, 3)]
DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
ENUMS = {
    "untitledSingle": {"type": "string", "enum": PLAIN},
    "titledSingle": {"type": "string", "oneOf": TITLED},
    "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["One", "Two", "Three"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": PLAIN}},
    "titledMulti": {"type": "array", "items": {"anyOf": TITLED}},
}
CHOSEN = {
    "untitledSingle": "option1",
    "titledSingle": "value2",
    "legacyEnum": "opt3",
    "untitledMulti": ["option1", "option3"],
    "titledMulti": ["value1", "value2"],
}


@pytest.fixture
def interim_results(cell: Cell) -> None:
    """For tools that ask by interim results, whatever the era."""
    if cell.upstream_era == "legacy":
        pytest.skip(NO_INTERIM_RESULTS)


class Client(Answers):
    """A client that can be asked everything, and notes what it was asked."""

    def __init__(self, *contents: dict, said: str = "Paris") -> None:
        super().__init__(self.sample, self.elicit, self.list_roots)
        self.contents = list(contents)
        self.said = said
        self.asked: list[dict] = []

    async def sample(self, params: dict) -> dict:
        self.asked.append(params)
        return {"role": "assistant", "content": {"type": "text", "text": self.said}, "model": "fixture"}

    async def elicit(self, params: dict) -> dict:
        self.asked.append(params)
        return {"action": "accept", "content": self.contents.pop(0)}

    async def list_roots(self, _params: dict) -> dict:
        self.asked.append({"roots": True})
        return {"roots": [{"uri": "file:///srv/work", "name": "work"}, {"uri": "file:///srv/more"}]}


async def said(session: Session, tool: str, **arguments: object) -> str:
    """The first text of a call's result."""
    return (await session.call(tool, arguments))["content"][0]["text"]


async def test_all_of_a_question_arrives(gateway: Gateway, cell: Cell) -> None:
    client = Client({"name": "Ada"})
    async with open_session(gateway, client) as session:
        assert await said(session, "sample", prompt="Grüße?") == "model=fixture text=Paris"
        assert await said(session, "elicit", message="Who?") == "accept:Ada:30"
    of_the_model, of_the_user = client.asked
    (question,) = of_the_model["messages"]
    content = question["content"][0] if isinstance(question["content"], list) else question["content"]
    assert (question["role"], content["text"], of_the_model["maxTokens"]) == ("user", "Grüße?", 50)
    # Only when it asks by a request does the server's tool say this.
    assert of_the_model.get("systemPrompt") == (None if cell.upstream_era == "modern" else "be brief")
    assert of_the_user["message"] == "Who?"
    schema = of_the_user["requestedSchema"]
    assert (schema["type"], schema["required"], set(schema["properties"])) == ("object", ["name"], {"name", "age"})
    assert schema["properties"]["name"]["description"] == "name"
    assert schema["properties"]["age"]["default"] == 30


async def test_tools_that_ask_by_request(gateway: Gateway, cell: Cell) -> None:
    if cell.upstream_era == "modern":
        pytest.skip(NO_SERVER_REQUESTS)
    defaults = {name: field["default"] for name, field in DEFAULTS.items()}
    client = Client({"response": "yes"}, defaults, CHOSEN)
    async with open_session(gateway, client) as session:
        assert await said(session, "test_sampling", prompt="Capital?") == "LLM response: Paris"
        answer = await said(session, "test_elicitation", message="Sure?")
        assert answer == 'User response: action=accept, content={"response": "yes"}'
        before = "Elicitation completed: action=accept, content="
        for tool, content in (
            ("test_elicitation_sep1034_defaults", defaults),
            ("test_elicitation_sep1330_enums", CHOSEN),
        ):
            answer = await said(session, tool)
            assert answer.startswith(before)
            assert json.loads(answer.removeprefix(before)) == content
    of_the_model, _, *forms = client.asked
    assert of_the_model["maxTokens"] == 100
    # Every kind of field that a form can have.
    assert [form["requestedSchema"]["properties"] for form in forms] == [DEFAULTS, ENUMS]


@pytest.mark.everything2
@pytest.mark.usefixtures("interim_results")
async def test_tools_that_ask_by_interim_results(gateway: Gateway) -> None:
    name = {"name": "Ada"}
    client = Client()
    async with open_session(gateway, client) as session:
        for what, contents, expected, questions in (
            ("elicitation", [name], "Hello, Ada!", 1),
            ("sampling", [], "Model said: Paris", 1),
            ("list_roots", [], "Client exposed 2 root(s).", 1),
            ("request_state", [{"ok": True}], "state-ok: confirmation received", 1),
            ("tampered_state", [{"ok": True}], "state-ok: r1", 1),
            ("multiple_inputs", [name], "All inputs received.", 3),
            ("multi_round", [name, {"color": "blue"}], "Ada likes blue.", 2),
        ):
            client.contents, client.asked = contents, []
            assert await said(session, f"test_input_required_result_{what}") == expected
            assert len(client.asked) == questions, what


@pytest.mark.everything2
@pytest.mark.usefixtures("interim_results")
async def test_a_prompt_that_asks_by_an_interim_result(gateway: Gateway) -> None:
    client = Client({"context": "tests"})
    async with open_session(gateway, client) as session:
        prompt = await session.request("prompts/get", {"name": "test_input_required_result_prompt"})
    assert prompt["messages"][0]["content"]["text"] == "Use the following context: tests"


@pytest.mark.everything2
@pytest.mark.usefixtures("interim_results")
async def test_only_what_the_client_can_answer_is_asked(gateway: Gateway) -> None:
    client = Client(*[{"name": "Ada"}] * 1000)
    async with open_session(gateway, Answers(elicitation=client.elicit)) as session:
        # This tool asks for ever.
        asked = eventually(lambda: len(client.asked) >= 2, "it asked twice")
        await session.abandon_call("test_input_required_result_capabilities", {}, asked)
        assert await said(session, "echo", text="still here") == "still here"
    assert all(params["message"] == "What is your name?" for params in client.asked)


@pytest.mark.everything2
async def test_a_tool_knows_what_the_client_that_calls_can_do(gateway: Gateway) -> None:
    async with open_session(gateway) as mute, open_session(gateway, Answers(sampling=Client().sample)) as session:
        with pytest.raises(Refused) as refused:
            await mute.call("test_missing_capability")
        assert refused.value.code == -32021
        assert refused.value.data == {"requiredCapabilities": {"sampling": {}}}
        assert await said(session, "test_missing_capability") == "sampling declared"
