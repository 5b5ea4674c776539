"""Lets papermill put parameters into notebooks written in Go.

papermill imports all its engines when it starts; importing this one registers the
translator, and nothing else need be said:

    papermill in.ipynb out.ipynb -p lr 0.1

The cell that is put in begins with attune's magic %%parameters, which keeps the types
that the notebook's own cell declares, and declares what it does not.
"""

import json
import math

from papermill.engines import NBClientEngine
from papermill.exceptions import PapermillException
from papermill.translators import Translator, papermill_translators


class Engine(NBClientEngine):
    """papermill's own engine, under the name attune."""


def literal(value):
    """A value in Go, and its type. The text of a composite begins with its braces:
    within another one its type is left out."""
    if value is None:
        return "nil", "any"
    if isinstance(value, bool):
        return ("true" if value else "false"), "bool"
    if isinstance(value, int):
        return str(value), "int"
    if isinstance(value, float):
        if not math.isfinite(value):
            raise PapermillException(f"Go has no literal for {value}")
        return repr(value), "float64"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False), "string"
    if isinstance(value, (list, tuple)):
        return composite("[]", list(value), None)
    if isinstance(value, dict):
        keys = sorted(value, key=str)
        return composite("map[string]", [value[k] for k in keys], [str(k) for k in keys])
    return json.dumps(str(value), ensure_ascii=False), "string"


def composite(kind, values, keys):
    parts = [literal(v) for v in values]
    types = {kind for _, kind in parts}
    if types == {"int", "float64"}:
        element = "float64"
    else:
        element = types.pop() if len(types) == 1 else "any"
    texts = [typed(*p) if element == "any" else p[0] for p in parts]
    if keys is not None:
        texts = [f"{json.dumps(k, ensure_ascii=False)}: {t}" for k, t in zip(keys, texts)]
    return "{" + ", ".join(texts) + "}", kind + element


def typed(text, kind):
    return kind + text if text.startswith("{") else text


class GoTranslator(Translator):
    @classmethod
    def translate(cls, val):
        return typed(*literal(val))

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}".strip()

    @classmethod
    def assign(cls, name, str_val):
        return f"{name} = {str_val}"

    @classmethod
    def codify(cls, parameters, comment="Parameters"):
        lines = [cls.comment(comment), "%%parameters"]
        lines += [cls.assign(name, cls.translate(value)) for name, value in parameters.items()]
        return "\n".join(lines) + "\n"


papermill_translators.register("go", GoTranslator)
