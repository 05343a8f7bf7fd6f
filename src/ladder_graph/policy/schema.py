"""The JSON Schema of a policy file, for editors: they complete the keys and mark what is wrong while one types.

It is looser than the model, which alone decides: what spans several keys, such as a ceiling and its rung, is not in it.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from ladder_graph.policy.fields import Strict
from ladder_graph.policy.model import Policy
from ladder_graph.scale import Rung

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def policy_schema() -> dict[str, Any]:
    """The schema of `ladder.toml`, with each key's own sentence as its description.

    Example:
        >>> policy_schema()["$defs"]["Rule"]["properties"]["read_only"]["default"]
        False
    """
    schema = Policy.model_json_schema(schema_generator=_Generator)
    objects = {Policy.__name__: schema, **schema["$defs"]}
    for model in _models(Strict):
        if model.__name__ in objects:
            _describe(objects[model.__name__], model)
    for part in _parts(schema):
        _mend(part)
    return {"$schema": DIALECT, **schema, "title": "ladder.toml"}


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        """No titles: they would only say the key again."""
        del schema
        return False


def _models(parent: type[Strict]) -> Iterator[type[Strict]]:
    for child in parent.__subclasses__():
        yield child
        yield from _models(child)


def _describe(schema: dict[str, Any], model: type[Strict]) -> None:
    """Put the sentences below a model's fields into its schema, those of its parents, too; and no example in Python."""
    schema["description"] = " ".join(schema["description"].partition("\n\nExample:")[0].split())
    for owner in reversed(model.__mro__):
        for name, text in _sentences(owner) if owner.__module__.startswith("ladder_graph.") else ():
            if name in schema["properties"]:
                schema["properties"][name]["description"] = text
    if "kind" in schema["properties"]:
        # The model has a default for it; a table in a file is told apart by it, so there it must stand.
        schema["required"] = ["kind", *schema.get("required", ())]


def _sentences(model: type) -> Iterator[tuple[str, str]]:
    written = _written(model.__module__)[model.__name__]
    for field, below in zip(written.body, written.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(inspect.cleandoc(text).split())


@functools.cache  # To look for one class, the whole file is read each time.
def _written(module: str) -> dict[str, ast.ClassDef]:
    body = ast.parse(inspect.getsource(sys.modules[module])).body
    return {node.name: node for node in body if isinstance(node, ast.ClassDef)}


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for inner in schema.values():
            yield from _parts(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _parts(inner)


def _mend(part: dict[str, Any]) -> None:
    """What TOML or JSON Schema hasn't is taken out, a rung is its word, a list's least size is named as one."""
    part.pop("discriminator", None)
    if isinstance(part.get("default"), dict):
        del part["default"]
    if "enum" in part and Rung.SUGGEST.word in part["enum"] and "default" in part:
        part["default"] = Rung(part["default"]).word
    if part.get("type") == "array" and "minLength" in part:
        part["minItems"] = part.pop("minLength")
    if {"type": "null"} in part.get("anyOf", ()):
        members = [member for member in part.pop("anyOf") if member != {"type": "null"}]
        part.update(members[0] if len(members) == 1 else {"anyOf": members})
        if part.get("default", "") is None:
            del part["default"]
