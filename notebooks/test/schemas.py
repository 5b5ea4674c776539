"""Holds messages against kernel/kerneltest/messages.json, which says how it is read."""

import json
from datetime import datetime
from pathlib import Path

SCHEMAS = json.loads((Path(__file__).resolve().parents[2] / "kernel" / "kerneltest" / "messages.json").read_text())
TYPES = {"str": str, "int": int, "num": (int, float), "bool": bool, "dict": dict, "any": object}


class Wrong(Exception):
    pass


def check(channel, message):
    """Raises Wrong unless the message, as jupyter_client hands it out, is as it should
    be on channel: iopub, stdin, or reply for shell and control."""
    kind, content = message["msg_type"], message["content"]
    header = dict(message["header"])
    if isinstance(header["date"], datetime):  # jupyter_client has read it
        header["date"] = header["date"].isoformat()
    fits(SCHEMAS["header"], header, f"{kind}: header")
    if channel == "reply" and not broken(SCHEMAS["failure"], content):
        return
    if kind not in SCHEMAS[channel]:
        raise Wrong(f"{kind} has no place on {channel}")
    fits(SCHEMAS[channel][kind], content, f"{kind}: content")


def broken(schema, value):
    try:
        fits(schema, value, "")
    except Wrong as error:
        return str(error)
    return None


def fits(schema, value, where):
    if isinstance(schema, str):
        fits_type(schema, value, where)
    elif isinstance(schema, list):
        if not isinstance(value, list):
            raise Wrong(f"{where} is no list")
        for n, element in enumerate(value):
            fits(schema[0], element, f"{where}[{n}]")
    elif "of" in schema:
        reasons = [broken(form, value) for form in schema["of"]]
        if all(reasons):
            raise Wrong(f"{where}: {reasons}")
    elif "tuple" in schema:
        if not isinstance(value, list) or len(value) != len(schema["tuple"]):
            raise Wrong(f"{where} is no list of {len(schema['tuple'])}")
        for n, (form, element) in enumerate(zip(schema["tuple"], value)):
            fits(form, element, f"{where}[{n}]")
    else:
        fits_object(schema, value, where)


def fits_type(schema, value, where):
    if schema == "date":
        datetime.fromisoformat(value.replace("Z", "+00:00"))
    elif schema == "mime":
        fits({"*": "any"}, value, where)
        for kind, data in value.items():
            if not isinstance(data, str) and not kind.endswith("json"):
                raise Wrong(f"{where}[{kind}] is no text")
        if not isinstance(value.get("text/plain"), str):
            raise Wrong(f"{where} has no text/plain")
    elif schema.startswith("="):
        if value not in schema[1:].split("|") and not (value is None and schema == "=null"):
            raise Wrong(f"{where} is {value!r}, not one of {schema[1:]}")
    elif not isinstance(value, TYPES[schema]) or isinstance(value, bool) and schema in ("int", "num"):
        raise Wrong(f"{where} is {value!r}, not {schema}")


def fits_object(schema, value, where):
    if not isinstance(value, dict):
        raise Wrong(f"{where} is no object")
    if "*" in schema:
        for name, element in value.items():
            fits(schema["*"], element, f"{where}.{name}")
        return
    for name, form in schema.items():
        field = name.removesuffix("?")
        if field in value:
            fits(form, value[field], f"{where}.{field}")
        elif field == name:
            raise Wrong(f"{where}.{field} is missing")
    for field in value:
        if field not in schema and field + "?" not in schema:
            raise Wrong(f"{where}.{field} is not in the protocol")
